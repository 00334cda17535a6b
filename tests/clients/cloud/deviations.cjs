// Where a shim differs from the real package on purpose. Each entry turns the record into what is expected.
module.exports = {};
