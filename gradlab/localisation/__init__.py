"""Where an implementation is wrong, and what comes out there: found by experiment, whatever the mistake is called."""
