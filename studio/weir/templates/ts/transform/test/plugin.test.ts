import assert from 'node:assert/strict'
import { test } from 'node:test'

import { processEvent } from '../index.ts'
import { createEvent, createMeta } from '../testing/weir.cjs'

test('every spelling of an address has one hash', async () => {
    const hashes = new Set()
    for (const email of ['ada@example.com', ' ADA@example.com', 'Ada@Example.Com ']) {
        const event = await processEvent(createEvent({ properties: { email } }), createMeta())
        assert.equal(event?.properties?.email, 'ada@example.com')
        hashes.add(event?.properties?.email_hash)
    }
    assert.equal(hashes.size, 1)
})

test('a salt makes it another hash', async () => {
    const [plain, salted] = [createMeta(), createMeta({ config: { salt: 'pepper' } })]
    const event = () => createEvent({ properties: { email: 'ada@example.com' } })
    const [one, other] = [await processEvent(event(), plain), await processEvent(event(), salted)]
    assert(one?.properties?.email_hash !== other?.properties?.email_hash)
})

test('an address that is not to be kept goes, and its domain stays', async () => {
    const meta = createMeta({ config: { keep: 'No' } })
    const event = await processEvent(createEvent({ properties: { email: 'ada@example.com' } }), meta)
    assert.deepEqual(Object.keys(event?.properties ?? {}), ['email_domain', 'email_hash'])
})
