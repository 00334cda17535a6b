// Made-up data cannot be the same as the real package's, but its names, forms and repeatability can be checked.
const test = require("node:test");
const assert = require("node:assert");
const names = require("./recorded/faker_names.json");
const { load } = require("./engine.cjs");

const sequence = (seed) => {
    let state = seed;
    return () => (state = (state * 16807) % 2147483647) / 2147483647;
};
const fakerOf = (seed) => load("faker", { random: sequence(seed), now: Date.UTC(2023, 4, 17) });
const groups = Object.entries(fakerOf(1)).filter(([, group]) => typeof group === "object");

test("every method is one of the real package's", () => {
    for (const [group, methods] of groups.filter(([name]) => name !== "default" && name !== "faker")) {
        for (const method of Object.keys(methods))
            assert.ok(names[group]?.includes(method), `${group}.${method} is not faker's`);
    }
});

test("the host's chance decides", () => {
    const everything = (faker) =>
        groups
            .filter(([name]) => name !== "default" && name !== "faker")
            .flatMap(([group, methods]) =>
                Object.keys(methods).map((method) =>
                    String(
                        group === "date" && method === "between"
                            ? faker.date.between("2023-01-01", "2023-02-01")
                            : faker[group][method](),
                    ),
                ),
            );
    assert.deepStrictEqual(everything(fakerOf(7)), everything(fakerOf(7)));
    assert.notDeepStrictEqual(everything(fakerOf(7)), everything(fakerOf(8)));
});

test("a seed repeats its own sequence", () => {
    const faker = fakerOf(3);
    const draw = (seed) => {
        faker.seed(seed);
        return Array.from({ length: 20 }, () => faker.internet.email());
    };
    assert.deepStrictEqual(draw(42), draw(42));
    assert.notDeepStrictEqual(draw(42), draw(43));
});

test("the forms hold", () => {
    const faker = fakerOf(5);
    for (let i = 0; i < 500; i += 1) {
        assert.match(faker.datatype.uuid(), /^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/);
        assert.match(faker.internet.email(), /^[\w.]+@example\.com$/);
        assert.match(faker.internet.ip(), /^(192\.0\.2|198\.51\.100|203\.0\.113)\.\d+$/);
        assert.doesNotThrow(() => new URL(faker.internet.url()));
        const number = faker.datatype.number({ min: 3, max: 5 });
        assert.ok(Number.isInteger(number) && number >= 3 && number <= 5, `${number}`);
        const float = faker.datatype.float({ min: 1, max: 2 });
        assert.ok(float >= 1 && float <= 2 && String(float).length <= 4, `${float}`);
        assert.ok(faker.date.past() < new Date(Date.UTC(2023, 4, 17)));
        assert.ok(faker.date.future() > new Date(Date.UTC(2023, 4, 17)));
        assert.match(faker.commerce.price(), /^\d+\.\d\d$/);
    }
    assert.match(faker.fake("{{name.firstName}} in {{address.city}}"), /^\w+ in \w+$/);
    assert.throws(() => faker.fake("{{name.nothing}}"), /Invalid method: name\.nothing/);
    assert.strictEqual(faker.address.countryCode().length, 2);
    assert.deepStrictEqual(faker.helpers.shuffle([1, 2, 3]).sort(), [1, 2, 3]);
    const ten = new Set(Array.from({ length: 10 }, () => faker.unique(faker.name.firstName)));
    assert.strictEqual(ten.size, 10);
});
