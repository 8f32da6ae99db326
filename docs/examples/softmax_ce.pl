#!/usr/bin/perl
# Mean softmax cross-entropy and its gradient, as a program that gradlab asks: gradlab check exec:./softmax_ce.pl
# The protocol is described in gradlab/adapters/program.py. Perl computes in float64, whatever is asked.
use strict;
use warnings;

binmode STDIN;
binmode STDOUT;
$| = 1;    # each answer is sent at once

while (defined(my $line = <STDIN>)) {
    my ($dtype, $rows, $classes) = $line =~ /"dtype":"(\w+)","rows":(\d+),"classes":(\d+)/
        or die "no question: $line";
    my $letter = $dtype eq 'float64' ? 'd' : 'f';
    my @logits = unpack "$letter<*", taken($rows * $classes * ($dtype eq 'float64' ? 8 : 4));
    my @labels = unpack 'q<*', taken($rows * 8);
    if (my @bad = grep { $_ < 0 || $_ >= $classes } @labels) {
        print qq({"error":"a label must be at least 0 and less than $classes, got $bad[0]"}\n);
        next;
    }
    my ($loss, @gradient) = (0);
    for my $i (0 .. $rows - 1) {
        my @row = @logits[$i * $classes .. ($i + 1) * $classes - 1];
        my $largest = $row[0];
        for (@row) { $largest = $_ if $_ > $largest }
        my @exponentials = map { exp($_ - $largest) } @row;
        my $sum = 0;
        $sum += $_ for @exponentials;
        my @entries = map { $_ / $sum / $rows } @exponentials;
        $entries[ $labels[$i] ] -= 1 / $rows;
        push @gradient, @entries;
        $loss += log($sum) - ($row[ $labels[$i] ] - $largest);
    }
    $loss = $rows ? $loss / $rows : 'nan';
    print qq({"dtype":"$dtype"}\n), pack("$letter<*", $loss, @gradient);
}

sub taken {    # the next bytes of the question
    my ($size) = @_;
    my $got = read STDIN, my $bytes, $size;
    die "the question must have $size bytes more, has $got" if $got != $size;
    return $bytes;
}
