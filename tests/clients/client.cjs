// The calls that an application makes; the suite checks what arrives.
const { PostHog } = require('posthog-node')

async function main() {
  const client = new PostHog('phc_node', { host: process.env.WEIR_CAPTURE, flushAt: 3 })
  client.on('error', (error) => {
    console.error(error)
    process.exitCode = 1
  })
  client.capture({ distinctId: 'anon-1', event: 'looked', properties: { nested: { list: [1, null, 'x'] } } })
  client.alias({ distinctId: 'user-1', alias: 'anon-1' })
  client.identify({
    distinctId: 'user-1',
    properties: { $set: { email: 'user-1@example.com' }, $set_once: { source: 'first' } },
  })
  client.capture({
    distinctId: 'user-1',
    event: 'bought',
    properties: { price: 12.5, title: 'Käse & 🧀', $set: { plan: 'pro' }, $set_once: { source: 'second' } },
    groups: { company: 'acme' },
  })
  client.groupIdentify({ groupType: 'company', groupKey: 'acme', properties: { seats: 3 }, distinctId: 'user-1' })
  const flag = await client.getFeatureFlag('some-flag', 'user-1', { sendFeatureFlagEvents: false })
  if (flag) throw new Error(`a flag that does not exist is ${flag}`)
  await client.shutdown()
}

main().catch((error) => {
  console.error(error)
  process.exit(1)
})
