// How the cases of `aws-sdk` configure a client and wait for a callback.
const key = { accessKeyId: "AKIDEXAMPLE", secretAccessKey: "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY" };
const fast = { retryDelayOptions: { base: 1 } };
const eu = { ...key, ...fast, region: "eu-west-1" };
const later = (start) =>
    new Promise((resolve, reject) => start((error, data) => (error ? reject(error) : resolve(data))));

module.exports = { key, fast, eu, later };
