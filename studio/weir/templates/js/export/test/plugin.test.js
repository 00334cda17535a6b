import assert from 'node:assert/strict'
import { afterEach, beforeEach, test } from 'node:test'

import { exportEvents, setupPlugin } from '../index.js'
import { createEvent, createMeta, mount } from '../testing/weir.cjs'

/** @type {import('../testing/weir.cjs').World} */
let world
beforeEach(() => void (world = mount()))
afterEach(() => world.unmount())

/** @param {string} event */
const stored = (event) => ({ ...createEvent({ event }), timestamp: '2026-01-02T03:04:05.678Z' })

/** @param {string[]} events */
async function send(events, config = {}) {
    const meta = createMeta({ config })
    await setupPlugin?.(meta)
    await exportEvents(events.map(stored), meta)
}

test('a batch is one request', async () => {
    await send(['purchase', 'purchase'], { api_key: 'sesame' })
    assert.equal(world.requests.length, 1)
    assert.equal(world.requests[0]?.headers.authorization, 'Bearer sesame')
    assert.equal(JSON.parse(world.requests[0]?.body).events.length, 2)
})

test('a busy service is tried again, one that refuses is not', async () => {
    await assert.rejects(send(['rush']), { name: 'RetryError' })
    await send(['rush'])
    await assert.rejects(send(['unwanted']), /refused 1 events: 400 unknown event/)
})

test('an address that is not https is refused before anything is sent', async () => {
    await assert.rejects(send(['purchase'], { url: 'http://collector.example.com' }), /must begin with https/)
    assert.equal(world.requests.length, 0)
})
