// What the doctor of devices says (GET /devices/{id}/doctor).
export interface Finding { code: string; tone: 'bad' | 'warn' | 'ok'; problem?: string; rule?: string; offset?: number; number?: number; peer?: string; at_ms?: number; times?: number; ahead_ms?: number; line?: string; device?: string; why?: string; baud?: number; strangers?: string[] }
export interface Diagnosis { device_id: string; last_ms?: number; findings: Finding[]; frames?: number; silences?: number; refusals?: number
  models?: { code: string; name: string; name_en?: string | null; metrics: number; protocol: boolean }[]; place_id?: string; place?: string }
