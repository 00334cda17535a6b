// Meant to turn // in paths into /. The replacement puts back what the loop looks for, so a URL with ///
// keeps it busy for ever.
export function processEvent(event) {
    let path = event.properties?.$pathname
    if (typeof path === 'string') {
        while (path.includes('//')) {
            path = path.replace('///', '//')
            if (!path.includes('///')) path = path.replace('//', '///')
        }
        event.properties.$pathname = path
    }
    return event
}
