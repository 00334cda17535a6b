import assert from 'node:assert/strict'
import { afterEach, beforeEach, test } from 'node:test'

import { runEveryHour } from '../index.js'
import { createMeta, mount } from '../testing/weir.cjs'

/** @type {import('../testing/weir.cjs').World} */
let world
beforeEach(() => void (world = mount()))
afterEach(() => world.unmount())

test('each order is imported once', async () => {
    const meta = createMeta()
    await runEveryHour(meta)
    const orders = world.captured.map(({ properties }) => properties.order_id)
    assert.deepEqual(orders, [1001, 1002])
    assert.equal(meta.seen.storage.get('last_order'), 1002)

    await runEveryHour(meta)
    assert.equal(world.captured.length, 2)
})

test('a shop that is closed is an error, and the cursor stays', async () => {
    const meta = createMeta({ config: { url: 'https://closed.example.com/orders' }, storage: { last_order: 7 } })
    await assert.rejects(async () => runEveryHour(meta), /closed.example.com answered 503/)
    assert.equal(meta.seen.storage.get('last_order'), 7)
})
