OK_FORMAT = True

test = {
    "name": "gradient",
    "points": 10,
    "suites": [
        {
            "cases": [
                {
                    "code": '>>> import gradlab\n>>> gradlab.lesson_test("gradient", loss)\n',
                    "hidden": False,
                    "locked": False,
                }
            ],
            "scored": True,
            "setup": "",
            "teardown": "",
            "type": "doctest",
        }
    ],
}
