// `generic-pool`: resources that are lent out and given back.
() => {
    class Pool {
        #factory;
        #options;
        #idle = [];
        #lent = new Set();
        #pending = 0;
        #waiting = [];
        #draining = false;
        #drained = [];

        constructor(factory, options = {}) {
            if (typeof factory?.create !== "function")
                throw new TypeError("factory.create must be a function");
            if (typeof factory.destroy !== "function")
                throw new TypeError("factory.destroy must be a function");
            this.#factory = factory;
            this.#options = { max: 1, min: 0, maxWaitingClients: Infinity, testOnBorrow: false, ...options };
            if (this.#options.autostart !== false) this.start();
        }
        start() {
            while (this.size < this.#options.min) this.#grow();
        }
        get size() {
            return this.#idle.length + this.#lent.size + this.#pending;
        }
        get available() {
            return this.#idle.length;
        }
        get borrowed() {
            return this.#lent.size;
        }
        get pending() {
            return this.#waiting.length;
        }
        get max() {
            return this.#options.max;
        }
        get min() {
            return this.#options.min;
        }
        get spareResourceCapacity() {
            return this.max - this.size;
        }
        #grow() {
            this.#pending++;
            Promise.resolve()
                .then(() => this.#factory.create())
                .then(
                    (resource) => {
                        this.#pending--;
                        this.#idle.push(resource);
                        this.#serve();
                    },
                    (error) => {
                        this.#pending--;
                        // As many fail as could not be made; else a broken factory would be asked for ever.
                        this.#waiting.shift()?.reject(error);
                        this.#serve();
                    },
                );
        }
        async #fits(resource) {
            if (!this.#options.testOnBorrow || typeof this.#factory.validate !== "function") return true;
            try {
                return await this.#factory.validate(resource);
            } catch {
                return false;
            }
        }
        #serve() {
            while (this.#waiting.length > 0 && this.#idle.length > 0) {
                const [client, resource] = [this.#waiting.shift(), this.#idle.shift()];
                this.#lent.add(resource);
                this.#fits(resource).then((fits) => {
                    if (fits) return client.resolve(resource);
                    this.#waiting.unshift(client);
                    this.destroy(resource);
                });
            }
            for (
                let missing = this.#waiting.length - this.#pending;
                missing > 0 && this.size < this.max;
                missing--
            )
                this.#grow();
            if (this.#draining && this.#waiting.length === 0 && this.#lent.size === 0)
                for (const resolve of this.#drained.splice(0)) resolve();
        }
        acquire() {
            if (this.#draining) return Promise.reject(new Error("pool is draining and cannot accept work"));
            if (
                this.spareResourceCapacity < 1 &&
                this.available < 1 &&
                this.#waiting.length >= this.#options.maxWaitingClients
            ) {
                return Promise.reject(new Error("max waitingClients count exceeded"));
            }
            const { acquireTimeoutMillis } = this.#options;
            return new Promise((resolve, reject) => {
                const client = { resolve, reject };
                if (acquireTimeoutMillis > 0) {
                    const timer = setTimeout(() => {
                        this.#waiting = this.#waiting.filter((one) => one !== client);
                        reject(
                            Object.assign(new Error("ResourceRequest timed out"), { name: "TimeoutError" }),
                        );
                    }, acquireTimeoutMillis);
                    client.resolve = (resource) => {
                        clearTimeout(timer);
                        resolve(resource);
                    };
                }
                this.#waiting.push(client);
                this.#serve();
            });
        }
        #back(resource) {
            if (!this.#lent.delete(resource)) throw new Error("Resource not currently part of this pool");
        }
        async release(resource) {
            this.#back(resource);
            this.#idle.push(resource);
            this.#serve();
        }
        async destroy(resource) {
            this.#back(resource);
            await this.#factory.destroy(resource);
            this.#serve();
        }
        isBorrowedResource(resource) {
            return this.#lent.has(resource);
        }
        async use(work) {
            const resource = await this.acquire();
            try {
                const result = await work(resource);
                await this.release(resource);
                return result;
            } catch (error) {
                if (this.#lent.has(resource)) await this.destroy(resource);
                throw error;
            }
        }
        async ready() {
            while (this.available < this.min && this.#pending > 0) await Promise.resolve();
        }
        drain() {
            this.#draining = true;
            return new Promise((resolve) => {
                this.#drained.push(resolve);
                this.#serve();
            });
        }
        async clear() {
            const idle = this.#idle.splice(0);
            await Promise.all(idle.map((resource) => this.#factory.destroy(resource)));
        }
        on() {
            return this;
        }
    }
    return { Pool, createPool: (factory, options) => new Pool(factory, options) };
}
