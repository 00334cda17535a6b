interface User {
    email: string
}

export function processEvent(event: { properties: Record<string, any> }) {
    event.properties.checked = true
    event.properties.email_domain = domainOf(event.properties.user)
    return event
}

function domainOf(user: User): string {
    return user.email.split('@')[1]
}
