// Runs cases one after the other and makes their results plain.
module.exports = async (cases) => {
    const results = {};
    for (const [name, work] of Object.entries(cases)) {
        let value;
        try {
            value = await work();
        } catch (error) {
            value = `threw ${error.name}: ${error.message}${error.code === undefined ? "" : ` [${error.code}]`}`;
        }
        results[name] = value === undefined ? "undefined" : JSON.parse(JSON.stringify(value));
    }
    return results;
};
