// `ethers`, version 5: what a plugin needs to read a contract's events. Nothing here signs or sends a
// transaction.
(require, module, exports) => {
    const { keccak256 } = require("./keccak");
    const { Interface } = require("./ethers_abi");
    const numbers = require("./ethers_numbers");

    const { BigNumber, bytesOf, checksumAddress, formatUnits, hexOf, isHex, parseUnits, wrong } = numbers;
    const quantity = (value) =>
        typeof value === "string" && !isHex(value) ? value : `0x${BigNumber.from(value).big.toString(16)}`;

    const hosts = {
        homestead: "mainnet",
        mainnet: "mainnet",
        sepolia: "sepolia",
        goerli: "goerli",
        matic: "polygon-mainnet",
        optimism: "optimism-mainnet",
        arbitrum: "arbitrum-mainnet",
    };
    const chainIds = {
        homestead: 1,
        mainnet: 1,
        sepolia: 11155111,
        goerli: 5,
        matic: 137,
        optimism: 10,
        arbitrum: 42161,
    };

    const serverError = (code, reason, more) =>
        Object.assign(new Error(`${reason} (code=${code})`), { code, reason, ...more });

    class JsonRpcProvider {
        #nextId = 42;

        constructor(connection = "http://localhost:8545", network) {
            this.connection = typeof connection === "string" ? { url: connection } : connection;
            this.network = network;
        }
        async send(method, params) {
            const { url, headers = {} } = this.connection;
            const body = JSON.stringify({ method, params, id: this.#nextId, jsonrpc: "2.0" });
            this.#nextId += 1;
            let response;
            try {
                response = await fetch(url, {
                    method: "POST",
                    headers: { "Content-Type": "application/json", ...headers },
                    body,
                });
            } catch (error) {
                throw serverError("SERVER_ERROR", "missing response", { serverError: error, url });
            }
            const text = await response.text();
            if (!response.ok)
                throw serverError("SERVER_ERROR", "bad response", { status: response.status, body: text, url });
            const { error, result } = JSON.parse(text);
            if (error) {
                const inner = Object.assign(new Error(error.message), { code: error.code, data: error.data });
                throw serverError("SERVER_ERROR", `processing response error: ${error.message}`, {
                    error: inner,
                    body: text,
                    url,
                });
            }
            return result;
        }
        async getNetwork() {
            const chainId = Number(await this.send("eth_chainId", []));
            const name = Object.keys(chainIds).find((one) => chainIds[one] === chainId) ?? "unknown";
            return { name, chainId };
        }
        async getBlockNumber() {
            return Number(await this.send("eth_blockNumber", []));
        }
        async getBalance(address, block = "latest") {
            return BigNumber.from(
                await this.send("eth_getBalance", [checksumAddress(address).toLowerCase(), quantity(block)]),
            );
        }
        async getLogs({ address, topics, fromBlock, toBlock, blockHash }) {
            const filter = {
                ...(fromBlock !== undefined && { fromBlock: quantity(fromBlock) }),
                ...(toBlock !== undefined && { toBlock: quantity(toBlock) }),
                ...(blockHash && { blockHash }),
                ...(address && { address: checksumAddress(address).toLowerCase() }),
                ...(topics && { topics }),
            };
            const logs = await this.send("eth_getLogs", [filter]);
            return logs.map((log) => ({
                blockNumber: Number(log.blockNumber),
                blockHash: log.blockHash,
                transactionIndex: Number(log.transactionIndex),
                removed: log.removed ?? false,
                address: checksumAddress(log.address),
                data: log.data,
                topics: log.topics,
                transactionHash: log.transactionHash,
                logIndex: Number(log.logIndex),
            }));
        }
        async getBlock(which) {
            const byHash = isHex(which) && which.length === 66;
            const block = await this.send(byHash ? "eth_getBlockByHash" : "eth_getBlockByNumber", [
                byHash ? which : quantity(which),
                false,
            ]);
            if (!block) return null;
            return {
                hash: block.hash,
                parentHash: block.parentHash,
                number: Number(block.number),
                timestamp: Number(block.timestamp),
                nonce: block.nonce,
                gasLimit: BigNumber.from(block.gasLimit ?? 0),
                gasUsed: BigNumber.from(block.gasUsed ?? 0),
                miner: block.miner && checksumAddress(block.miner),
                extraData: block.extraData,
                transactions: block.transactions ?? [],
            };
        }
        async getTransaction(hash) {
            return this.send("eth_getTransactionByHash", [hash]);
        }
        async call(transaction, block = "latest") {
            return this.send("eth_call", [transaction, quantity(block)]);
        }
    }

    // The library falls back to a key that all its users share. That one is not built in here: without a key the
    // address ends at the version, which a mock can answer and Infura refuses.
    class InfuraProvider extends JsonRpcProvider {
        constructor(network = "homestead", key) {
            const name =
                typeof network === "number" ? Object.keys(chainIds).find((one) => chainIds[one] === network) : network;
            if (!hosts[name]) throw wrong("unsupported network", "network", network);
            const id = typeof key === "string" ? key : (key?.projectId ?? "");
            super(`https://${hosts[name]}.infura.io/v3/${id}`, { name, chainId: chainIds[name] });
        }
    }

    const refuse = (what, instead) =>
        class {
            constructor() {
                throw Object.assign(new Error(`ethers: ${what} is not provided: ${instead}`), {
                    code: "UNSUPPORTED_OPERATION",
                });
            }
        };

    class Contract {
        constructor(address, abi, provider) {
            this.address = address;
            this.interface = abi instanceof Interface ? abi : new Interface(abi);
            this.provider = provider;
            return new Proxy(this, {
                get: (self, name) => {
                    if (name in self || typeof name !== "string" || name === "then") return self[name];
                    throw Object.assign(
                        new Error(
                            `ethers: calling a contract's functions (${name}) is not provided: read its logs, or use provider.call`,
                        ),
                        { code: "UNSUPPORTED_OPERATION" },
                    );
                },
            });
        }
    }

    const providers = {
        InfuraProvider,
        JsonRpcProvider,
        StaticJsonRpcProvider: JsonRpcProvider,
        WebSocketProvider: refuse("WebSocketProvider", "a sandbox has no sockets; use JsonRpcProvider"),
    };
    const utils = {
        Interface,
        formatUnits,
        parseUnits,
        formatEther: (value) => formatUnits(value, 18),
        parseEther: (value) => parseUnits(value, 18),
        parseBytes32String: numbers.parseBytes32String,
        formatBytes32String: numbers.formatBytes32String,
        getAddress: checksumAddress,
        isAddress: (value) => {
            try {
                checksumAddress(value);
                return true;
            } catch {
                return false;
            }
        },
        hexlify: (value) => (typeof value === "number" ? BigNumber.from(value).toHexString() : hexOf(bytesOf(value))),
        arrayify: (value) => new Uint8Array(bytesOf(value)),
        isHexString: (value, length) => isHex(value) && (length === undefined || value.length === 2 + 2 * length),
        hexZeroPad: (value, length) => `0x${value.slice(2).padStart(length * 2, "0")}`,
        toUtf8Bytes: (text) => new Uint8Array(Buffer.from(text, "utf8")),
        toUtf8String: (value) => bytesOf(value).toString("utf8"),
        keccak256: (value) => hexOf(keccak256(bytesOf(value))),
        id: (text) => hexOf(keccak256(Buffer.from(text, "utf8"))),
    };
    const constants = {
        AddressZero: `0x${"0".repeat(40)}`,
        HashZero: `0x${"0".repeat(64)}`,
        Zero: BigNumber.from(0),
        One: BigNumber.from(1),
        WeiPerEther: BigNumber.from(10n ** 18n),
        MaxUint256: BigNumber.from(2n ** 256n - 1n),
    };
    const Wallet = refuse("Wallet", "a plugin must not hold keys; sign elsewhere");
    const ethers = { BigNumber, Contract, Wallet, constants, providers, utils };
    Object.assign(exports, ethers, { ethers });
}
