// Keccak-256 as Ethereum uses it: the function before its padding was changed for SHA-3.
(require, module, exports) => {
    const mask = (1n << 64n) - 1n;
    const rotate = (lane, by) => (by === 0n ? lane : ((lane << by) | (lane >> (64n - by))) & mask);

    // Both tables follow from their definitions: offsets from the walk over the lanes, constants from an LFSR.
    const offsets = new Array(25).fill(0n);
    for (let x = 1, y = 0, step = 0; step < 24; step += 1) {
        offsets[x + 5 * y] = BigInt((((step + 1) * (step + 2)) / 2) % 64);
        [x, y] = [y, (2 * x + 3 * y) % 5];
    }
    const constants = [];
    for (let round = 0, register = 1; round < 24; round += 1) {
        let constant = 0n;
        for (let bit = 0; bit < 7; bit += 1) {
            if (register & 1) constant |= 1n << BigInt(2 ** bit - 1);
            register = register & 0x80 ? ((register << 1) ^ 0x171) & 0xff : register << 1;
        }
        constants.push(constant);
    }

    const permute = (state) => {
        for (const constant of constants) {
            const column = [0, 1, 2, 3, 4].map(
                (x) => state[x] ^ state[x + 5] ^ state[x + 10] ^ state[x + 15] ^ state[x + 20],
            );
            const moved = new Array(25);
            for (let x = 0; x < 5; x += 1) {
                const change = column[(x + 4) % 5] ^ rotate(column[(x + 1) % 5], 1n);
                for (let y = 0; y < 5; y += 1) {
                    moved[y + 5 * ((2 * x + 3 * y) % 5)] = rotate(state[x + 5 * y] ^ change, offsets[x + 5 * y]);
                }
            }
            for (let y = 0; y < 25; y += 5) {
                for (let x = 0; x < 5; x += 1) {
                    state[x + y] = moved[x + y] ^ (~moved[((x + 1) % 5) + y] & mask & moved[((x + 2) % 5) + y]);
                }
            }
            state[0] ^= constant;
        }
    };

    const rateBytes = 136;
    exports.keccak256 = (bytes) => {
        const padded = new Uint8Array((Math.floor(bytes.length / rateBytes) + 1) * rateBytes);
        padded.set(bytes);
        padded[bytes.length] ^= 0x01;
        padded[padded.length - 1] ^= 0x80;
        const state = new Array(25).fill(0n);
        const view = new DataView(padded.buffer);
        for (let at = 0; at < padded.length; at += rateBytes) {
            for (let lane = 0; lane < rateBytes / 8; lane += 1) state[lane] ^= view.getBigUint64(at + lane * 8, true);
            permute(state);
        }
        const digest = new DataView(new ArrayBuffer(32));
        for (let lane = 0; lane < 4; lane += 1) digest.setBigUint64(lane * 8, state[lane], true);
        return Buffer.from(digest.buffer);
    };
}
