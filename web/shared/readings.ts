// Whose readings are asked for: codes of devices are unique within a community, so who reaches several says which.
import { meta } from './meta'

export interface Named { code: string; community: string }
export type Whose = string | Named
/** The code of the community that a row is of; '' where there is but one, and none needs to be said. */
export const communityCode = (id: unknown): string => (id && (meta.d?.communities.length ?? 0) > 1 ? meta.d!.communities.find((c) => c.id === id)?.code ?? '' : '')
/** The same as part of an address. */
export const inCommunity = (code: string): string => (code ? '&community=' + encodeURIComponent(code) : '')
export const deviceQuery = (d: Whose): string => (typeof d === 'string' ? `device=${encodeURIComponent(d)}` : `device=${encodeURIComponent(d.code)}${inCommunity(d.community)}`)
