// A local server that answers as a test says and keeps what it was sent, to the byte.
const http = require("http");

exports.serve = async (answer) => {
    const requests = [];
    const server = http.createServer(async (request, response) => {
        const chunks = [];
        for await (const chunk of request) chunks.push(chunk);
        const seen = {
            method: request.method,
            url: request.url,
            headers: request.headers,
            body: Buffer.concat(chunks),
        };
        requests.push(seen);
        const {
            status = 200,
            headers = {},
            body = "",
            json,
            destroy,
        } = (await answer(seen, requests.length - 1)) ?? {};
        if (destroy) return request.socket.destroy();
        const kind = json === undefined ? {} : { "content-type": "application/json" };
        response.writeHead(status, { ...kind, ...headers });
        return response.end(json === undefined ? body : JSON.stringify(json));
    });
    await new Promise((resolve) => server.listen(0, "127.0.0.1", resolve));
    const { port } = server.address();
    const close = () =>
        new Promise((resolve) => {
            server.closeAllConnections();
            server.close(resolve);
        });
    return { url: `http://127.0.0.1:${port}`, host: `127.0.0.1:${port}`, requests, close };
};

// Waiting between attempts takes a thousandth of the time.
exports.hasty = (run, ms) => setTimeout(run, ms / 1000);
