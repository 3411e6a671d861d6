// The one door to the server: JSON, idempotency keys, versions, problems as typed errors.
export interface FieldError { field: string; code: string; args?: { limit?: number } }
export class Problem extends Error {
  constructor(readonly status: number, readonly code: string, detail: string, readonly errors: FieldError[] = [],
    readonly trace = '', readonly retryAfter = 0) { super(detail) }
}
export type Id = string
export type Value = string | number | boolean | null | undefined | object
export interface Row {
  id: Id; version: number; created_ms: number; updated_ms: number; archived_ms: number | null
  _labels: Record<string, string | string[] | null>; _actions: string[]; _rights: string[]; _masked: string[]
  [field: string]: Value
}
export interface Page { items: Row[]; next: string | null; total: number | null }

let onSignedOut: () => void = () => {}
export function whenSignedOut(fn: () => void): void { onSignedOut = fn }

function key(): string {
  const bytes = crypto.getRandomValues(new Uint8Array(16))
  return Array.from(bytes, (b) => b.toString(16).padStart(2, '0')).join('')
}

async function problem(res: Response): Promise<Problem> {
  let body: { code?: string; detail?: string; errors?: FieldError[]; trace?: string } = {}
  try { body = await res.json() as typeof body } catch { /* not JSON: a proxy, or nothing at all */ }
  return new Problem(res.status, body.code ?? 'http_' + res.status, body.detail ?? res.statusText, body.errors ?? [], body.trace ?? '',
    Number(res.headers.get('Retry-After') ?? 0))
}

export interface CallOptions { body?: unknown; raw?: Blob; version?: number; signal?: AbortSignal; quiet?: boolean; key?: string }
export async function call<T>(method: string, path: string, o: CallOptions = {}): Promise<T> {
  const headers: Record<string, string> = {}
  let body: BodyInit | undefined
  if (o.raw) { body = o.raw; headers['Content-Type'] = o.raw.type || 'application/octet-stream' }
  else if (o.body !== undefined) { body = JSON.stringify(o.body); headers['Content-Type'] = 'application/json' }
  if (method !== 'GET') headers['Idempotency-Key'] = o.key ?? key()
  if (o.version) headers['If-Match'] = `"${o.version}"`
  let res: Response
  try {
    res = await fetch('/api/v1' + path, { method, headers, body, signal: o.signal, credentials: 'same-origin' })
  } catch (e) {
    if (e instanceof DOMException && e.name === 'AbortError') throw e
    throw new Problem(0, 'offline', 'the server does not answer')
  }
  if (res.status === 401 && !o.quiet) onSignedOut()
  if (!res.ok) throw await problem(res)
  if (res.status === 204) return undefined as T
  return await res.json() as T
}
export const get = <T>(path: string, signal?: AbortSignal): Promise<T> => call<T>('GET', path, { signal })
export const post = <T>(path: string, body?: unknown, version?: number): Promise<T> => call<T>('POST', path, { body, version })
export const patch = <T>(path: string, body: unknown, version?: number): Promise<T> => call<T>('PATCH', path, { body, version })
export interface FileInfo { id: Id; name: string; type: string; size_bytes: number; at_ms?: number }
export const upload = (file: File): Promise<FileInfo> =>
  call<FileInfo>('POST', '/files?name=' + encodeURIComponent(file.name.slice(0, 100)), { raw: file })
