// `assert`.
(engine, require) => {
    const { argumentType } = require("internal/errors");
    const { inspect } = require("internal/inspect");
    const { isDeepEqual } = require("internal/equality");

    class AssertionError extends Error {
        constructor({ message, actual, expected, operator }) {
            super(message);
            this.name = "AssertionError";
            Object.assign(this, {
                code: "ERR_ASSERTION",
                generatedMessage: false,
                actual,
                expected,
                operator,
            });
        }
    }
    const fail = (message, actual, expected, operator, standard) => {
        if (message instanceof Error) throw message;
        const error = new AssertionError({ message: message ?? standard, actual, expected, operator });
        error.generatedMessage = message === undefined;
        throw error;
    };
    const compared = (operator, text, holds) => (actual, expected, message) => {
        if (!holds(actual, expected))
            fail(
                message,
                actual,
                expected,
                operator,
                `${text}\n\n${inspect(actual)}\n\nshould ${operator}\n\n${inspect(expected)}`,
            );
    };
    const matches = (error, expected, message) => {
        if (expected === undefined) return;
        if (typeof expected === "function") {
            if (expected.prototype !== undefined && error instanceof expected) return;
            if (Error.isPrototypeOf(expected) || expected === Error) throw error;
            if (expected.call({}, error) === true) return;
            fail(message, error, expected, "throws", 'The validation function is expected to return "true".');
        }
        if (expected instanceof RegExp) {
            if (!expected.test(String(error)))
                fail(
                    message,
                    error,
                    expected,
                    "throws",
                    `The input did not match the regular expression ${expected}. Input:\n\n${inspect(String(error))}\n`,
                );
            return;
        }
        for (const key of Object.keys(expected).concat(
            expected instanceof Error ? ["name", "message"] : [],
        )) {
            const same =
                expected[key] instanceof RegExp && typeof error[key] === "string"
                    ? expected[key].test(error[key])
                    : isDeepEqual(error[key], expected[key]);
            if (!same)
                fail(message, error, expected, "throws", `Expected values to be strictly deep-equal: ${key}`);
        }
    };
    const assert = (value, message) => {
        if (!value) fail(message, value, true, "==", "The expression evaluated to a falsy value");
    };
    const split = (expected, message) =>
        typeof expected === "string" ? [undefined, expected] : [expected, message];
    Object.assign(assert, {
        AssertionError,
        ok: assert,
        fail: (message = "Failed") => fail(message, undefined, undefined, "fail"),
        equal: compared(
            "==",
            "Expected values to be loosely equal:",
            (a, b) => a == b || (a !== a && b !== b),
        ),
        notEqual: compared(
            "!=",
            'Expected "actual" to be loosely unequal to:',
            (a, b) => !(a == b || (a !== a && b !== b)),
        ),
        strictEqual: compared("strictEqual", "Expected values to be strictly equal:", Object.is),
        notStrictEqual: compared(
            "notStrictEqual",
            'Expected "actual" to be strictly unequal to:',
            (a, b) => !Object.is(a, b),
        ),
        deepEqual: compared("deepEqual", "Expected values to be loosely deep-equal:", (a, b) =>
            isDeepEqual(a, b, false),
        ),
        notDeepEqual: compared(
            "notDeepEqual",
            'Expected "actual" not to be loosely deep-equal to:',
            (a, b) => !isDeepEqual(a, b, false),
        ),
        deepStrictEqual: compared("deepStrictEqual", "Expected values to be strictly deep-equal:", (a, b) =>
            isDeepEqual(a, b),
        ),
        notDeepStrictEqual: compared(
            "notDeepStrictEqual",
            'Expected "actual" not to be strictly deep-equal to:',
            (a, b) => !isDeepEqual(a, b),
        ),
        match: compared("match", "The input did not match the regular expression", (text, pattern) =>
            pattern.test(text),
        ),
        doesNotMatch: compared(
            "doesNotMatch",
            "The input was expected to not match the regular expression",
            (text, pattern) => !pattern.test(text),
        ),
        ifError(value) {
            if (value !== null && value !== undefined)
                fail(
                    undefined,
                    value,
                    null,
                    "ifError",
                    `ifError got unwanted exception: ${value?.message ?? inspect(value)}`,
                );
        },
        throws(work, expected, message) {
            if (typeof work !== "function") throw argumentType("fn", "of type function", work);
            [expected, message] = split(expected, message);
            let thrown;
            try {
                work();
            } catch (error) {
                thrown = { error };
            }
            if (thrown === undefined)
                fail(message, undefined, expected, "throws", "Missing expected exception.");
            matches(thrown.error, expected, message);
        },
        doesNotThrow(work, expected, message) {
            try {
                work();
            } catch (error) {
                fail(
                    split(expected, message)[1],
                    error,
                    undefined,
                    "doesNotThrow",
                    `Got unwanted exception.\nActual message: "${error?.message}"`,
                );
            }
        },
        async rejects(work, expected, message) {
            [expected, message] = split(expected, message);
            let thrown;
            try {
                await (typeof work === "function" ? work() : work);
            } catch (error) {
                thrown = { error };
            }
            if (thrown === undefined)
                fail(message, undefined, expected, "rejects", "Missing expected rejection.");
            matches(thrown.error, expected, message);
        },
        async doesNotReject(work, expected, message) {
            try {
                await (typeof work === "function" ? work() : work);
            } catch (error) {
                fail(
                    split(expected, message)[1],
                    error,
                    undefined,
                    "doesNotReject",
                    `Got unwanted rejection.\nActual message: "${error?.message}"`,
                );
            }
        },
    });
    assert.strict = assert;
    return assert;
}
