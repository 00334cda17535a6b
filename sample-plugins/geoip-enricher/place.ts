// From a record of the City database to flat properties.

export type Precision = 'country' | 'city' | 'coordinates'
export type Language = 'en' | 'de' | 'fr' | 'pt-BR'

interface Named {
    isoCode?: string
    code?: string
    names?: Partial<Record<Language, string>>
}

/** The parts that are read here; the database has more. */
export interface CityRecord {
    continent?: Named
    country?: Named
    subdivisions?: Named[]
    city?: Named
    postal?: { code?: string }
    location?: { latitude?: number; longitude?: number; timeZone?: string }
}

export function placeOf(record: CityRecord, precision: Precision, language: Language): Record<string, unknown> {
    // Not every place has a name in every language; all have an English one.
    const name = (part?: Named) => part?.names?.[language] ?? part?.names?.en

    const place: Record<string, unknown> = {
        continent_code: record.continent?.code,
        continent_name: name(record.continent),
        country_code: record.country?.isoCode,
        country_name: name(record.country),
    }
    if (precision !== 'country') {
        const [region] = record.subdivisions ?? []
        place.subdivision_1_code = region?.isoCode
        place.subdivision_1_name = name(region)
        place.city_name = name(record.city)
        place.time_zone = record.location?.timeZone
    }
    if (precision === 'coordinates') {
        place.postal_code = record.postal?.code
        place.latitude = record.location?.latitude
        place.longitude = record.location?.longitude
    }
    return Object.fromEntries(Object.entries(place).filter(([, value]) => value !== undefined))
}
