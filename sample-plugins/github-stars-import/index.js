const PAGE = 100

export function setupPlugin({ config }) {
    if (!/^[\w.-]+\/[\w.-]+$/.test(config.repository ?? '')) {
        throw new Error(`"Repository" must be OWNER/NAME; got "${config.repository}"`)
    }
}

// Stars come oldest first, so how many are imported says where to go on: on which page, and after how many
// of that page.
export async function runEveryMinute({ config, utils }) {
    const key = `imported:${config.repository}`
    await utils.cursor.init(key)
    const imported = await utils.cursor.increment(key, 0)

    const page = Math.floor(imported / PAGE) + 1
    const stars = await starsOf(config, page)
    const fresh = stars.slice(imported % PAGE)
    for (const { starred_at, user } of fresh) {
        posthog.capture('github star', {
            distinct_id: `github:${user.login}`,
            timestamp: starred_at,
            repository: config.repository,
            $set: { github_login: user.login, github_url: user.html_url },
        })
    }
    // Events and cursor are kept together: a run that fails has done neither.
    const total = await utils.cursor.increment(key, fresh.length)
    if (fresh.length > 0) {
        console.info(`${fresh.length} new stars for ${config.repository}, ${total} in all`)
    }
}

async function starsOf({ repository, token }, page) {
    const url = `https://api.github.com/repos/${repository}/stargazers?per_page=${PAGE}&page=${page}`
    // This type is the one that says when.
    const headers = { accept: 'application/vnd.github.star+json', 'user-agent': 'weir-sample' }
    if (token) headers.authorization = `Bearer ${token}`
    const response = await fetch(url, { headers })
    if (response.status === 403 || response.status === 429) {
        const reset = Number(response.headers.get('x-ratelimit-reset')) * 1000
        console.warn(`GitHub wants a pause until ${reset ? new Date(reset).toISOString() : 'later'}`)
        return []
    }
    if (!response.ok) {
        throw new Error(`GitHub answered ${response.status} for ${repository}`)
    }
    return await response.json()
}
