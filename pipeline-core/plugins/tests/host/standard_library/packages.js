const { createPool } = require("generic-pool");
const factory = (out) => { let n = 0; return { create: async () => { out.push("create"); return { n: n++ }; }, destroy: async (r) => { out.push(`destroy ${r.n}`); } }; };
module.exports = {
    pool: async () => {
        const out = [];
        const pool = createPool(factory(out), { max: 2, min: 0 });
        const a = await pool.acquire();
        const b = await pool.acquire();
        const waiting = pool.acquire();
        out.push([pool.size, pool.available, pool.borrowed, pool.pending]);
        await pool.release(a);
        const c = await waiting;
        out.push(c === a);
        await pool.destroy(b);
        await pool.release(c);
        out.push(await pool.use(async (r) => `used ${r.n}`));
        await pool.drain();
        await pool.clear();
        return out;
    },
    poolUseThrows: async () => { const out = []; const pool = createPool(factory(out), { max: 1 }); await pool.use(async () => { throw new Error("inside"); }).catch((e) => out.push(e.message)); return out; },
    errDraining: async () => { const pool = createPool(factory([])); await pool.drain(); return pool.acquire(); },
    errForeign: async () => { const pool = createPool(factory([])); return pool.release({}); },
};
