// Personal data inside text. Each pattern is bounded, so that no text makes it slow.

const EMAIL = /[\w.+-]{1,64}@[\w-]{1,63}(?:\.[\w-]{1,63}){1,8}/g
/** Digits in groups, as cards and phone numbers are written. */
const DIGITS = /[+(]?\d(?:[ .()\/-]{0,2}\d){6,18}/g
/** Without a +, only the usual grouping tells a phone number from a date or an order. */
const PHONE = /^\+|^\(?\d{3}\)?[ .-]\d{3}[ .-]\d{4}$/

export function redact(text: string): string {
    // Most text has neither, and then nothing is built.
    if (text.includes('@')) {
        text = text.replace(EMAIL, '[email]')
    }
    return /\d{3}/.test(text) ? text.replace(DIGITS, (found) => redactDigits(found)) : text
}

function redactDigits(found: string): string {
    const digits = found.replace(/\D/g, '')
    // No card begins with 1, and every time in milliseconds does.
    if (digits.length >= 13 && /^[2-6]/.test(digits) && passesLuhn(digits)) return '[card]'
    return PHONE.test(found) ? '[phone]' : found
}

/** The check digit that card numbers end with. */
export function passesLuhn(digits: string): boolean {
    let sum = 0
    for (let place = 0; place < digits.length; place++) {
        let digit = Number(digits[digits.length - 1 - place])
        if (place % 2 === 1) digit = digit * 2 > 9 ? digit * 2 - 9 : digit * 2
        sum += digit
    }
    return sum % 10 === 0
}

/** The network rather than the machine. */
export function shortened(ip: string): string {
    if (ip.includes(':')) {
        return `${ip.split('::')[0].split(':').slice(0, 3).join(':')}::`
    }
    return ip.replace(/\.\d+$/, '.0')
}
