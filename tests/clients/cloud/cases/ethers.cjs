// What the Ethereum event plugin does with `ethers`, and the arithmetic around it.
const address = "0x5A0b54D5dc17e0AadC383d2db43B0a0D3E029c4c";
const erc20 = [
    "event Transfer(address indexed from, address indexed to, uint256 value)",
    {
        type: "event",
        name: "Approval",
        inputs: [
            { name: "owner", type: "address", indexed: true },
            { name: "spender", type: "address", indexed: true },
            { name: "value", type: "uint256" },
        ],
    },
    {
        type: "event",
        name: "Mixed",
        inputs: [
            { name: "tag", type: "string", indexed: true },
            { name: "text", type: "string" },
            { name: "list", type: "uint8[]" },
            { name: "flag", type: "bool" },
            { name: "small", type: "int24" },
            { name: "raw", type: "bytes" },
            { name: "key", type: "bytes32" },
            { name: "length", type: "int256" },
            {
                name: "pair",
                type: "tuple",
                components: [
                    { name: "a", type: "uint64" },
                    { name: "b", type: "string[2]" },
                ],
            },
        ],
    },
    {
        type: "function",
        name: "balanceOf",
        inputs: [{ name: "who", type: "address" }],
        outputs: [{ name: "", type: "uint256" }],
        stateMutability: "view",
    },
];
const pad = (hex) => hex.padStart(64, "0");
const transfer = "0xddf252ad1be2c89b69c2b068fc378daa952ba7f163c4a11628f55a4df523b3ef";
const log = {
    address: address.toLowerCase(),
    blockHash: `0x${"b".repeat(64)}`,
    blockNumber: "0x10",
    transactionIndex: "0x1",
    logIndex: "0x2",
    transactionHash: `0x${"c".repeat(64)}`,
    removed: false,
    data: `0x${pad("de0b6b3a7640000")}`,
    topics: [transfer, `0x${pad(address.slice(2).toLowerCase())}`, `0x${pad("1".repeat(40))}`],
};
// The values of the event Mixed, laid out by hand.
const mixed = `0x${[
    pad("100"),
    pad("140"),
    pad("1"),
    "f".repeat(60) + "fffe",
    pad("1a0"),
    Buffer.from("key").toString("hex").padEnd(64, "0"),
    "f".repeat(64),
    pad("1e0"),
    pad("3"),
    Buffer.from("é!").toString("hex").padEnd(64, "0"),
    pad("2"),
    pad("7"),
    pad("ff"),
    pad("2"),
    "abcd".padEnd(64, "0"),
    pad("5"),
    pad("40"),
    pad("40"),
    pad("80"),
    pad("1"),
    "78".padEnd(64, "0"),
    pad("0"),
].join("")}`;
const shown = (value) => JSON.parse(JSON.stringify({ ...value }));
const attempt = (run) => {
    try {
        return run();
    } catch (error) {
        return { code: error.code, reason: error.reason };
    }
};
const rpc = (result, id) => ({ json: { jsonrpc: "2.0", id, result } });
const block = {
    hash: log.blockHash,
    parentHash: `0x${"a".repeat(64)}`,
    number: "0x10",
    timestamp: "0x644f9a20",
    nonce: "0x0000000000000000",
    difficulty: "0x0",
    gasLimit: "0x1c9c380",
    gasUsed: "0x0",
    miner: address.toLowerCase(),
    extraData: "0x",
    transactions: [],
};

module.exports = [
    {
        name: "an event by its topic",
        run: ({ ethers }) => {
            const event = new ethers.utils.Interface(erc20).getEvent(transfer);
            return [event.name, event.anonymous, event.format()];
        },
    },
    {
        name: "topics",
        run: ({ ethers }) =>
            ["Transfer", "Approval", "Mixed"].map((name) => new ethers.utils.Interface(erc20).getEventTopic(name)),
    },
    {
        name: "an event that is not there",
        run: ({ ethers }) => attempt(() => new ethers.utils.Interface(erc20).getEvent("Burn")),
    },
    {
        name: "a transfer",
        run: ({ ethers }) => shown(new ethers.utils.Interface(erc20).decodeEventLog("Transfer", log.data, log.topics)),
    },
    {
        name: "all kinds of values",
        run: ({ ethers }) => {
            const contract = new ethers.utils.Interface(erc20);
            const topics = [contract.getEventTopic("Mixed"), `0x${"d".repeat(64)}`];
            return shown(contract.decodeEventLog("Mixed", mixed, topics));
        },
    },
    {
        name: "a log cut short",
        run: ({ ethers }) =>
            attempt(() => {
                const contract = new ethers.utils.Interface(erc20);
                return contract.decodeEventLog("Transfer", "0x00", log.topics);
            }).code,
    },
    {
        name: "a log of another event",
        run: ({ ethers }) =>
            attempt(() => new ethers.utils.Interface(erc20).decodeEventLog("Approval", log.data, log.topics)).code,
    },
    {
        name: "big numbers",
        run: ({ BigNumber }) => [
            BigNumber.from("0x0de0b6b3a7640000").toString(),
            BigNumber.from("-5").toHexString(),
            BigNumber.from(255).toHexString(),
            BigNumber.from(7).toNumber(),
            BigNumber.isBigNumber(BigNumber.from(1)),
            BigNumber.isBigNumber(1),
            BigNumber.from(10).mul(3).sub(1).add("0x2").div(2).toString(),
            BigNumber.from(-7).mod(3).toString(),
            BigNumber.from(2).pow(100).toString(),
            BigNumber.from(1).lt(2),
            JSON.stringify(BigNumber.from(16)),
            attempt(() => BigNumber.from(2).pow(64).toNumber()).code,
            attempt(() => BigNumber.from("x")).code,
            attempt(() => BigNumber.from(1.5)).code,
        ],
    },
    {
        name: "units",
        run: ({ ethers: { utils } }) => [
            utils.formatEther("1000000000000000000"),
            utils.formatEther("1"),
            utils.formatEther("-1500000000000000000"),
            utils.formatUnits("1234567", 6),
            utils.formatUnits("5", 0),
            utils.formatUnits("1000000000", "gwei"),
            utils.parseEther("1.5").toString(),
            utils.parseUnits("0.000001", 6).toString(),
            attempt(() => utils.parseUnits("0.0000001", 6)).code,
            attempt(() => utils.parseEther("x")).code,
        ],
    },
    {
        name: "texts and addresses",
        run: ({ ethers: { utils } }) => [
            utils.parseBytes32String(`0x${Buffer.from("hello").toString("hex").padEnd(64, "0")}`),
            utils.formatBytes32String("hello"),
            utils.getAddress(address.toLowerCase()),
            utils.isAddress("0x12"),
            utils.isAddress(address.replace("5A", "5a")),
            utils.id("Transfer(address,address,uint256)"),
            utils.keccak256("0x"),
            utils.keccak256(`0x${"ab".repeat(300)}`),
            utils.hexlify(new Uint8Array([1, 255])),
            utils.isHexString("0x1g"),
        ],
    },
    {
        name: "blocks and logs of a node",
        answers: [rpc("0x10", 42), rpc([log], 43), rpc(block, 44)],
        run: async ({ ethers }) => {
            const provider = new ethers.providers.StaticJsonRpcProvider("http://node.test:8545/", 1);
            const number = await provider.getBlockNumber();
            const logs = await provider.getLogs({ address, fromBlock: 1, toBlock: number });
            const { hash, timestamp } = await provider.getBlock(logs[0].blockHash);
            return { number, logs, hash, timestamp };
        },
    },
    {
        name: "a node that refuses",
        answers: [
            {
                json: {
                    jsonrpc: "2.0",
                    id: 42,
                    error: { code: -32005, message: "query returned more than 10000 results" },
                },
            },
        ],
        run: async ({ ethers }) => {
            const provider = new ethers.providers.StaticJsonRpcProvider("http://node.test:8545/", 1);
            return provider.send("eth_getLogs", [{}]).catch(({ code, error }) => ({ code, inner: error.code }));
        },
    },
].map((example) => ({ module: "ethers", answers: [], ...example }));
