// Made by tools/types.mjs from the server's OpenAPI; do not edit.
export type Id = string
export interface File {
  id: Id
  name: string
  type: string
  size_bytes: number
  at_ms?: number
}
export interface Problem {
  type: string
  title: string
  status: number
  code: string
  detail?: string
  errors: {
    field: string
    code: string
    args: Record<string, unknown>
  }[]
  trace?: string
}
export interface History {
  items: {
    id?: Id
    at_ms?: number
    actor?: {
      id: string | null
      name: string | null
      roles: string[]
    }
    verb?: string
    step?: string | null
    changes?: Record<string, unknown>[]
    reason?: string | null
  }[]
  next: string | null
}
export interface Reveal {
  fields: string[]
  reason: string
}
export interface PlacesRow {
  id: Id
  version: number
  created_ms: number
  updated_ms: number
  archived_ms: number | null
  community_id?: Id
  _labels: Record<string, string | unknown[]>
  _actions: string[]
  _rights: ('update' | 'archive' | 'restore' | 'reveal')[]
  _masked: string[]
  name?: string | null
  kind?: 'city' | 'street' | 'community' | 'estate' | 'grid' | 'building' | 'unit' | 'floor' | 'room' | 'area' | 'public' | 'equipment' | 'gate' | 'parking' | 'green' | 'road' | null
  code?: string | null
  parent_id?: string | null
  admin_parent_id?: string | null
  address?: string | null
  keeps_records?: boolean | null
  zone?: string | null
  at?: {
    lat: number
    lon: number
  } | null
  shape?: unknown
  shape_source?: string | null
}
export interface PlacesPage {
  items: PlacesRow[]
  next: string | null
  total: number | null
}
export interface PlacesCreate {
  name: string
  kind: 'city' | 'street' | 'community' | 'estate' | 'grid' | 'building' | 'unit' | 'floor' | 'room' | 'area' | 'public' | 'equipment' | 'gate' | 'parking' | 'green' | 'road'
  code?: string | null
  parent_id?: string | null
  admin_parent_id?: string | null
  address?: string | null
  keeps_records?: boolean | null
  zone?: string | null
  at?: {
    lat: number
    lon: number
  } | null
  shape?: unknown
  shape_source?: string | null
  community_id?: Id
}
export interface PlacesPatch {
  name?: string | null
  kind?: 'city' | 'street' | 'community' | 'estate' | 'grid' | 'building' | 'unit' | 'floor' | 'room' | 'area' | 'public' | 'equipment' | 'gate' | 'parking' | 'green' | 'road' | null
  code?: string | null
  address?: string | null
  zone?: string | null
  at?: {
    lat: number
    lon: number
  } | null
  shape?: unknown
  shape_source?: string | null
}
export type PlacesReveal = Record<string, never>
export interface PlaceParentsRow {
  id: Id
  version: number
  created_ms: number
  updated_ms: number
  archived_ms: number | null
  community_id?: Id
  _labels: Record<string, string | unknown[]>
  _actions: string[]
  _rights: ('update' | 'archive' | 'restore' | 'reveal')[]
  _masked: string[]
  place_id?: string | null
  hierarchy?: 'property' | 'administrative' | null
  parent_id?: string | null
  valid_from?: string | null
  valid_until?: string | null
}
export interface PlaceParentsPage {
  items: PlaceParentsRow[]
  next: string | null
  total: number | null
}
export interface PlaceParentsCreate {
  place_id: string
  hierarchy: 'property' | 'administrative'
  parent_id: string
  valid_from: string
  valid_until?: string | null
  community_id?: Id
}
export interface PlaceParentsPatch {
  valid_until?: string | null
}
export type PlaceParentsReveal = Record<string, never>
export interface PeopleRow {
  id: Id
  version: number
  created_ms: number
  updated_ms: number
  archived_ms: number | null
  _labels: Record<string, string | unknown[]>
  _actions: string[]
  _rights: ('update' | 'archive' | 'restore' | 'reveal')[]
  _masked: string[]
  name?: string | null
  phone?: string | null
  id_number?: string | null
  language?: 'zh' | 'en' | null
}
export interface PeoplePage {
  items: PeopleRow[]
  next: string | null
  total: number | null
}
export interface PeopleCreate {
  name: string
  phone?: string | null
  id_number?: string | null
  language?: 'zh' | 'en' | null
}
export interface PeoplePatch {
  name?: string | null
  phone?: string | null
  id_number?: string | null
  language?: 'zh' | 'en' | null
}
export interface PeopleReveal {
  name?: string | null
  phone?: string | null
  id_number?: string | null
}
export interface MembershipsRow {
  id: Id
  version: number
  created_ms: number
  updated_ms: number
  archived_ms: number | null
  community_id?: Id
  _labels: Record<string, string | unknown[]>
  _actions: string[]
  _rights: ('update' | 'archive' | 'restore' | 'reveal')[]
  _masked: string[]
  person_id?: string | null
  role?: 'admin' | 'street' | 'manager' | 'dispatcher' | 'guard' | 'repairer' | 'grid' | 'cashier' | 'carer' | 'doctor' | 'committee' | 'owner' | 'resident' | 'elder' | 'partner' | 'device' | 'ingest' | null
  place_id?: string | null
  valid_from?: string | null
  valid_until?: string | null
}
export interface MembershipsPage {
  items: MembershipsRow[]
  next: string | null
  total: number | null
}
export interface MembershipsCreate {
  person_id: string
  role: 'admin' | 'street' | 'manager' | 'dispatcher' | 'guard' | 'repairer' | 'grid' | 'cashier' | 'carer' | 'doctor' | 'committee' | 'owner' | 'resident' | 'elder' | 'partner' | 'device' | 'ingest'
  place_id?: string | null
  valid_from: string
  valid_until?: string | null
  community_id?: Id
}
export interface MembershipsPatch {
  valid_until?: string | null
}
export type MembershipsReveal = Record<string, never>
export interface DeviceModelsRow {
  id: Id
  version: number
  created_ms: number
  updated_ms: number
  archived_ms: number | null
  _labels: Record<string, string | unknown[]>
  _actions: string[]
  _rights: ('update' | 'archive' | 'restore' | 'reveal')[]
  _masked: string[]
  code?: string | null
  name?: string | null
  name_en?: string | null
  category?: 'energy' | 'water' | 'heat' | 'climate' | 'air' | 'fire' | 'gas' | 'lift' | 'access' | 'parking' | 'video' | 'power' | 'light' | 'pump' | 'care' | 'home' | 'green' | 'network' | null
  protocol?: 'gb26875' | 'hj212' | 'dlt645' | 'cjt188' | 'modbus' | 'modbus_rtu' | 'bacnet' | 'watch' | 'jt808' | 'osdp' | 'door' | 'vz' | 'itsapi' | 'lift' | 'chirpstack' | 'ttn' | 'ctwing' | 'onenet' | 'mqtt' | 'http' | 'mqtt-client' | null
  icon?: 'device' | 'chart' | 'alarm' | 'shield' | 'bell' | 'key' | 'badge' | 'visit' | 'lock' | 'camera' | 'eye' | 'person' | 'place' | 'pin' | 'globe' | 'idea' | 'up' | 'trash' | 'link' | 'clock' | 'today' | 'sound' | 'retry' | 'inbox' | 'out' | 'phone' | null
  upkeep?: string | null
  upkeep_days?: number | null
  metrics?: {
    metric?: string | null
    name_zh?: string | null
    name_en?: string | null
    unit?: string | null
    low?: number | null
    high?: number | null
    kind?: 'gauge' | 'counter' | null
    class_id?: string | null
    privacy?: 'identity' | 'contact' | 'health' | 'monetary' | null
    item?: string | null
    every_s?: number | null
  }[] | null
  events?: {
    event?: string | null
    name_zh?: string | null
    name_en?: string | null
  }[] | null
  commands?: {
    command?: string | null
    name_zh?: string | null
    name_en?: string | null
    item?: string | null
    value?: string | null
    dangerous?: boolean | null
    alone?: boolean | null
  }[] | null
  rules?: {
    name?: string | null
    kind?: 'above' | 'below' | 'silence' | 'event' | null
    metric?: string | null
    event_code?: string | null
    limit_value?: number | null
    clear_value?: number | null
    for_s?: number | null
    severity?: 'bad' | 'warn' | 'info' | null
    message?: string | null
    case_type?: string | null
  }[] | null
}
export interface DeviceModelsPage {
  items: DeviceModelsRow[]
  next: string | null
  total: number | null
}
export interface DeviceModelsCreate {
  code: string
  name: string
  name_en?: string | null
  category?: 'energy' | 'water' | 'heat' | 'climate' | 'air' | 'fire' | 'gas' | 'lift' | 'access' | 'parking' | 'video' | 'power' | 'light' | 'pump' | 'care' | 'home' | 'green' | 'network' | null
  protocol?: 'gb26875' | 'hj212' | 'dlt645' | 'cjt188' | 'modbus' | 'modbus_rtu' | 'bacnet' | 'watch' | 'jt808' | 'osdp' | 'door' | 'vz' | 'itsapi' | 'lift' | 'chirpstack' | 'ttn' | 'ctwing' | 'onenet' | 'mqtt' | 'http' | 'mqtt-client' | null
  icon?: 'device' | 'chart' | 'alarm' | 'shield' | 'bell' | 'key' | 'badge' | 'visit' | 'lock' | 'camera' | 'eye' | 'person' | 'place' | 'pin' | 'globe' | 'idea' | 'up' | 'trash' | 'link' | 'clock' | 'today' | 'sound' | 'retry' | 'inbox' | 'out' | 'phone' | null
  upkeep?: string | null
  upkeep_days?: number | null
  metrics?: {
    metric?: string | null
    name_zh?: string | null
    name_en?: string | null
    unit?: string | null
    low?: number | null
    high?: number | null
    kind?: 'gauge' | 'counter' | null
    class_id?: string | null
    privacy?: 'identity' | 'contact' | 'health' | 'monetary' | null
    item?: string | null
    every_s?: number | null
  }[] | null
  events?: {
    event?: string | null
    name_zh?: string | null
    name_en?: string | null
  }[] | null
  commands?: {
    command?: string | null
    name_zh?: string | null
    name_en?: string | null
    item?: string | null
    value?: string | null
    dangerous?: boolean | null
    alone?: boolean | null
  }[] | null
  rules?: {
    name?: string | null
    kind?: 'above' | 'below' | 'silence' | 'event' | null
    metric?: string | null
    event_code?: string | null
    limit_value?: number | null
    clear_value?: number | null
    for_s?: number | null
    severity?: 'bad' | 'warn' | 'info' | null
    message?: string | null
    case_type?: string | null
  }[] | null
}
export interface DeviceModelsPatch {
  name?: string | null
  name_en?: string | null
  category?: 'energy' | 'water' | 'heat' | 'climate' | 'air' | 'fire' | 'gas' | 'lift' | 'access' | 'parking' | 'video' | 'power' | 'light' | 'pump' | 'care' | 'home' | 'green' | 'network' | null
  protocol?: 'gb26875' | 'hj212' | 'dlt645' | 'cjt188' | 'modbus' | 'modbus_rtu' | 'bacnet' | 'watch' | 'jt808' | 'osdp' | 'door' | 'vz' | 'itsapi' | 'lift' | 'chirpstack' | 'ttn' | 'ctwing' | 'onenet' | 'mqtt' | 'http' | 'mqtt-client' | null
  icon?: 'device' | 'chart' | 'alarm' | 'shield' | 'bell' | 'key' | 'badge' | 'visit' | 'lock' | 'camera' | 'eye' | 'person' | 'place' | 'pin' | 'globe' | 'idea' | 'up' | 'trash' | 'link' | 'clock' | 'today' | 'sound' | 'retry' | 'inbox' | 'out' | 'phone' | null
  upkeep?: string | null
  upkeep_days?: number | null
  metrics?: {
    metric?: string | null
    name_zh?: string | null
    name_en?: string | null
    unit?: string | null
    low?: number | null
    high?: number | null
    kind?: 'gauge' | 'counter' | null
    class_id?: string | null
    privacy?: 'identity' | 'contact' | 'health' | 'monetary' | null
    item?: string | null
    every_s?: number | null
  }[] | null
  events?: {
    event?: string | null
    name_zh?: string | null
    name_en?: string | null
  }[] | null
  commands?: {
    command?: string | null
    name_zh?: string | null
    name_en?: string | null
    item?: string | null
    value?: string | null
    dangerous?: boolean | null
    alone?: boolean | null
  }[] | null
  rules?: {
    name?: string | null
    kind?: 'above' | 'below' | 'silence' | 'event' | null
    metric?: string | null
    event_code?: string | null
    limit_value?: number | null
    clear_value?: number | null
    for_s?: number | null
    severity?: 'bad' | 'warn' | 'info' | null
    message?: string | null
    case_type?: string | null
  }[] | null
}
export type DeviceModelsReveal = Record<string, never>
export interface ReadingClassesRow {
  id: Id
  version: number
  created_ms: number
  updated_ms: number
  archived_ms: number | null
  _labels: Record<string, string | unknown[]>
  _actions: string[]
  _rights: ('update' | 'archive' | 'restore' | 'reveal')[]
  _masked: string[]
  code?: string | null
  name?: string | null
  raw_days?: number | null
  windows?: {
    minutes?: '1' | '5' | '10' | '15' | '30' | '60' | null
    days?: number | null
  }[] | null
  for_all?: boolean | null
}
export interface ReadingClassesPage {
  items: ReadingClassesRow[]
  next: string | null
  total: number | null
}
export interface ReadingClassesCreate {
  code: string
  name: string
  raw_days: number
  windows?: {
    minutes?: '1' | '5' | '10' | '15' | '30' | '60' | null
    days?: number | null
  }[] | null
  for_all?: boolean | null
}
export interface ReadingClassesPatch {
  name?: string | null
  raw_days?: number | null
  windows?: {
    minutes?: '1' | '5' | '10' | '15' | '30' | '60' | null
    days?: number | null
  }[] | null
  for_all?: boolean | null
}
export type ReadingClassesReveal = Record<string, never>
export interface LinesRow {
  id: Id
  version: number
  created_ms: number
  updated_ms: number
  archived_ms: number | null
  community_id?: Id
  _labels: Record<string, string | unknown[]>
  _actions: string[]
  _rights: ('update' | 'archive' | 'restore' | 'reveal')[]
  _masked: string[]
  state?: 'closed' | 'open' | 'failed' | null
  name?: string | null
  kind?: 'gb26875' | 'hj212' | 'dlt645' | 'cjt188' | 'modbus' | 'modbus_rtu' | 'bacnet' | 'watch' | 'jt808' | 'osdp' | 'door' | 'vz' | 'itsapi' | 'lift' | 'chirpstack' | 'ttn' | 'ctwing' | 'onenet' | 'mqtt' | 'http' | 'mqtt-client' | null
  reach?: 'listen' | 'dial' | 'serial' | null
  bind?: string | null
  host?: string | null
  port?: number | null
  senders?: string | null
  greeting?: string | null
  numbers?: string | null
  serial?: string | null
  baud?: '1200' | '2400' | '4800' | '9600' | '19200' | '38400' | '57600' | '115200' | null
  parity?: 'even' | 'none' | 'odd' | null
  stop_bits?: '1' | '2' | null
  tls?: boolean | null
  username?: string | null
  topics?: string | null
  every_s?: number | null
  enabled?: boolean | null
  address?: string | null
  problem?: string | null
  push_key?: string | null
}
export interface LinesPage {
  items: LinesRow[]
  next: string | null
  total: number | null
}
export interface LinesCreate {
  name: string
  kind: 'gb26875' | 'hj212' | 'dlt645' | 'cjt188' | 'modbus' | 'modbus_rtu' | 'bacnet' | 'watch' | 'jt808' | 'osdp' | 'door' | 'vz' | 'itsapi' | 'lift' | 'chirpstack' | 'ttn' | 'ctwing' | 'onenet' | 'mqtt' | 'http' | 'mqtt-client'
  reach?: 'listen' | 'dial' | 'serial' | null
  bind?: string | null
  host?: string | null
  port?: number | null
  senders?: string | null
  greeting?: string | null
  numbers?: string | null
  serial?: string | null
  baud?: '1200' | '2400' | '4800' | '9600' | '19200' | '38400' | '57600' | '115200' | null
  parity?: 'even' | 'none' | 'odd' | null
  stop_bits?: '1' | '2' | null
  tls?: boolean | null
  username?: string | null
  topics?: string | null
  every_s?: number | null
  enabled?: boolean | null
  community_id?: Id
}
export interface LinesPatch {
  name?: string | null
  reach?: 'listen' | 'dial' | 'serial' | null
  bind?: string | null
  host?: string | null
  port?: number | null
  senders?: string | null
  greeting?: string | null
  numbers?: string | null
  serial?: string | null
  baud?: '1200' | '2400' | '4800' | '9600' | '19200' | '38400' | '57600' | '115200' | null
  parity?: 'even' | 'none' | 'odd' | null
  stop_bits?: '1' | '2' | null
  tls?: boolean | null
  username?: string | null
  topics?: string | null
  every_s?: number | null
  enabled?: boolean | null
}
export interface LinesReveal {
  push_key?: string | null
}
export type LinesStepFind = Record<string, never>
export interface LinesStepSetSecret {
  secret?: string | null
}
export type LinesStepNewPushKey = Record<string, never>
export interface DevicesRow {
  id: Id
  version: number
  created_ms: number
  updated_ms: number
  archived_ms: number | null
  community_id?: Id
  _labels: Record<string, string | unknown[]>
  _actions: string[]
  _rights: ('update' | 'archive' | 'restore' | 'reveal')[]
  _masked: string[]
  state?: 'new' | 'normal' | 'alarm' | 'offline' | 'retired' | null
  name?: string | null
  code?: string | null
  former_code?: string | null
  model?: string | null
  place_id?: string | null
  last_ms?: number | null
  line_id?: string | null
  address?: string | null
  way?: 'in' | 'out' | null
  speaks?: string | null
  attributes?: unknown
  alarmed?: boolean | null
}
export interface DevicesPage {
  items: DevicesRow[]
  next: string | null
  total: number | null
}
export interface DevicesCreate {
  name: string
  code: string
  model?: string | null
  place_id?: string | null
  line_id?: string | null
  address?: string | null
  way?: 'in' | 'out' | null
  speaks?: string | null
  community_id?: Id
}
export interface DevicesPatch {
  name?: string | null
  model?: string | null
  place_id?: string | null
  line_id?: string | null
  address?: string | null
  way?: 'in' | 'out' | null
  speaks?: string | null
}
export type DevicesReveal = Record<string, never>
export interface DevicesStepAdopt {
  name: string | null
  model?: string | null
  place_id: string | null
  address?: string | null
}
export interface DevicesStepRecode {
  code: string | null
}
export type DevicesStepUnadopt = Record<string, never>
export type DevicesStepRetire = Record<string, never>
export type DevicesStepReinstate = Record<string, never>
export interface DevicesStepSetPassword {
  password?: string | null
}
export interface CommandsRow {
  id: Id
  version: number
  created_ms: number
  updated_ms: number
  archived_ms: number | null
  community_id?: Id
  _labels: Record<string, string | unknown[]>
  _actions: string[]
  _rights: ('update' | 'archive' | 'restore' | 'reveal')[]
  _masked: string[]
  state?: 'asked' | 'queued' | 'sent' | 'done' | 'failed' | 'expired' | 'withdrawn' | null
  device_id?: string | null
  command?: string | null
  value?: string | null
  reason?: string | null
  item?: string | null
  told?: string | null
  dangerous?: boolean | null
  passage_id?: string | null
  until_ms?: number | null
  confirmed_by?: string | null
  confirmed_ms?: number | null
  sent_ms?: number | null
  ended_ms?: number | null
  answer?: string | null
}
export interface CommandsPage {
  items: CommandsRow[]
  next: string | null
  total: number | null
}
export interface CommandsCreate {
  device_id: string
  command: string
  value?: string | null
  reason: string
  until_ms?: number | null
  community_id?: Id
}
export type CommandsPatch = Record<string, never>
export type CommandsReveal = Record<string, never>
export type CommandsStepConfirm = Record<string, never>
export type CommandsStepWithdraw = Record<string, never>
export interface PassesRow {
  id: Id
  version: number
  created_ms: number
  updated_ms: number
  archived_ms: number | null
  community_id?: Id
  _labels: Record<string, string | unknown[]>
  _actions: string[]
  _rights: ('update' | 'archive' | 'restore' | 'reveal')[]
  _masked: string[]
  kind?: 'plate' | 'card' | 'code' | 'face' | null
  value?: string | null
  holder?: string | null
  person_id?: string | null
  place_id?: string | null
  from_ms?: number | null
  until_ms?: number | null
  weekdays?: string | null
  from_hour?: number | null
  until_hour?: number | null
  note?: string | null
}
export interface PassesPage {
  items: PassesRow[]
  next: string | null
  total: number | null
}
export interface PassesCreate {
  kind: 'plate' | 'card' | 'code' | 'face'
  value: string
  holder?: string | null
  person_id?: string | null
  place_id: string
  from_ms?: number | null
  until_ms?: number | null
  weekdays?: string | null
  from_hour?: number | null
  until_hour?: number | null
  note?: string | null
  community_id?: Id
}
export interface PassesPatch {
  value?: string | null
  holder?: string | null
  person_id?: string | null
  place_id?: string | null
  from_ms?: number | null
  until_ms?: number | null
  weekdays?: string | null
  from_hour?: number | null
  until_hour?: number | null
  note?: string | null
}
export interface PassesReveal {
  value?: string | null
  holder?: string | null
}
export interface PassagesRow {
  id: Id
  version: number
  created_ms: number
  updated_ms: number
  archived_ms: number | null
  community_id?: Id
  _labels: Record<string, string | unknown[]>
  _actions: string[]
  _rights: ('update' | 'archive' | 'restore' | 'reveal')[]
  _masked: string[]
  device?: string | null
  device_id?: string | null
  place_id?: string | null
  kind?: 'plate' | 'card' | 'code' | 'face' | null
  value?: string | null
  pass_id?: string | null
  direction?: 'in' | 'out' | null
  granted?: boolean | null
  why?: 'given' | 'unknown' | 'elsewhere' | 'early' | 'over' | 'hours' | 'unsure' | 'late' | 'paused' | 'nowhere' | null
  at_ms?: number | null
  serial?: string | null
}
export interface PassagesPage {
  items: PassagesRow[]
  next: string | null
  total: number | null
}
export interface PassagesCreate {
  device: string
  device_id?: string | null
  place_id?: string | null
  kind: 'plate' | 'card' | 'code' | 'face'
  value: string
  pass_id?: string | null
  direction?: 'in' | 'out' | null
  granted: boolean
  why: 'given' | 'unknown' | 'elsewhere' | 'early' | 'over' | 'hours' | 'unsure' | 'late' | 'paused' | 'nowhere'
  at_ms: number
  serial?: string | null
  community_id?: Id
}
export type PassagesPatch = Record<string, never>
export interface PassagesReveal {
  value?: string | null
}
export interface RulesRow {
  id: Id
  version: number
  created_ms: number
  updated_ms: number
  archived_ms: number | null
  community_id?: Id
  _labels: Record<string, string | unknown[]>
  _actions: string[]
  _rights: ('update' | 'archive' | 'restore' | 'reveal')[]
  _masked: string[]
  name?: string | null
  kind?: 'above' | 'below' | 'silence' | 'event' | null
  model?: string | null
  device_id?: string | null
  metric?: string | null
  limit_value?: number | null
  clear_value?: number | null
  for_s?: number | null
  event_code?: string | null
  severity?: 'bad' | 'warn' | 'info' | null
  message?: string | null
  case_type?: string | null
  enabled?: boolean | null
  came_as?: string | null
}
export interface RulesPage {
  items: RulesRow[]
  next: string | null
  total: number | null
}
export interface RulesCreate {
  name: string
  kind: 'above' | 'below' | 'silence' | 'event'
  model?: string | null
  device_id?: string | null
  metric?: string | null
  limit_value?: number | null
  clear_value?: number | null
  for_s?: number | null
  event_code?: string | null
  severity: 'bad' | 'warn' | 'info'
  message: string
  case_type?: string | null
  enabled?: boolean | null
  community_id?: Id
}
export interface RulesPatch {
  name?: string | null
  kind?: 'above' | 'below' | 'silence' | 'event' | null
  model?: string | null
  device_id?: string | null
  metric?: string | null
  limit_value?: number | null
  clear_value?: number | null
  for_s?: number | null
  event_code?: string | null
  severity?: 'bad' | 'warn' | 'info' | null
  message?: string | null
  case_type?: string | null
  enabled?: boolean | null
}
export type RulesReveal = Record<string, never>
export interface AlarmsRow {
  id: Id
  version: number
  created_ms: number
  updated_ms: number
  archived_ms: number | null
  community_id?: Id
  _labels: Record<string, string | unknown[]>
  _actions: string[]
  _rights: ('update' | 'archive' | 'restore' | 'reveal')[]
  _masked: string[]
  state?: 'active' | 'acknowledged' | 'ended' | null
  severity?: 'bad' | 'warn' | 'info' | null
  title?: string | null
  device_id?: string | null
  place_id?: string | null
  since_ms?: number | null
  ended_ms?: number | null
  calm_ms?: number | null
  metric?: string | null
  value?: string | null
  detail?: string | null
  part?: string | null
  case_type?: string | null
  rule_id?: string | null
  repeats?: number | null
}
export interface AlarmsPage {
  items: AlarmsRow[]
  next: string | null
  total: number | null
}
export interface AlarmsCreate {
  severity: 'bad' | 'warn' | 'info'
  title: string
  device_id?: string | null
  place_id?: string | null
  since_ms: number
  metric?: string | null
  value?: string | null
  detail?: string | null
  part?: string | null
  case_type?: string | null
  rule_id?: string | null
  community_id?: Id
}
export type AlarmsPatch = Record<string, never>
export type AlarmsReveal = Record<string, never>
export type AlarmsStepAck = Record<string, never>
export type AlarmsStepEnd = Record<string, never>
export interface CaseTypesRow {
  id: Id
  version: number
  created_ms: number
  updated_ms: number
  archived_ms: number | null
  _labels: Record<string, string | unknown[]>
  _actions: string[]
  _rights: ('update' | 'archive' | 'restore' | 'reveal')[]
  _masked: string[]
  code?: string | null
  name?: string | null
  priority?: 'urgent' | 'high' | 'normal' | null
  accept_s?: number | null
  onsite_s?: number | null
  close_s?: number | null
}
export interface CaseTypesPage {
  items: CaseTypesRow[]
  next: string | null
  total: number | null
}
export interface CaseTypesCreate {
  code: string
  name: string
  priority: 'urgent' | 'high' | 'normal'
  accept_s: number
  onsite_s: number
  close_s: number
}
export interface CaseTypesPatch {
  name?: string | null
  priority?: 'urgent' | 'high' | 'normal' | null
  accept_s?: number | null
  onsite_s?: number | null
  close_s?: number | null
}
export type CaseTypesReveal = Record<string, never>
export interface CasesRow {
  id: Id
  version: number
  created_ms: number
  updated_ms: number
  archived_ms: number | null
  community_id?: Id
  _labels: Record<string, string | unknown[]>
  _actions: string[]
  _rights: ('update' | 'archive' | 'restore' | 'reveal')[]
  _masked: string[]
  state?: 'new' | 'accepted' | 'assigned' | 'onsite' | 'done' | 'verified' | 'closed' | 'cancelled' | null
  number?: string | null
  title?: string | null
  type?: string | null
  priority?: 'urgent' | 'high' | 'normal' | null
  place_id?: string | null
  text?: string | null
  photos?: File[] | null
  assignee_id?: string | null
  onsite_by_id?: string | null
  done_by_id?: string | null
  reported_ms?: number | null
  accept_due_ms?: number | null
  onsite_due_ms?: number | null
  close_due_ms?: number | null
  accepted_ms?: number | null
  onsite_ms?: number | null
  done_ms?: number | null
  verified_ms?: number | null
  closed_ms?: number | null
  late?: 'accept' | 'onsite' | 'close' | null
  source?: 'resident' | 'staff' | 'alarm' | 'patrol' | null
  device_id?: string | null
  alarm_id?: string | null
  reporter_id?: string | null
  result?: string | null
  note?: string | null
  reason?: string | null
}
export interface CasesPage {
  items: CasesRow[]
  next: string | null
  total: number | null
}
export interface CasesCreate {
  title: string
  type: string
  priority?: 'urgent' | 'high' | 'normal' | null
  place_id?: string | null
  text?: string | null
  photos?: Id[] | null
  community_id?: Id
}
export interface CasesPatch {
  title?: string | null
  priority?: 'urgent' | 'high' | 'normal' | null
  place_id?: string | null
  text?: string | null
  photos?: Id[] | null
}
export type CasesReveal = Record<string, never>
export interface CasesStepAccept {
  priority?: 'urgent' | 'high' | 'normal' | null
}
export interface CasesStepAssign {
  priority?: 'urgent' | 'high' | 'normal' | null
  assignee_id: string | null
}
export interface CasesStepArrive {
  photos?: Id[] | null
  note?: string | null
}
export interface CasesStepFinish {
  photos?: Id[] | null
  result: string | null
}
export interface CasesStepVerify {
  note?: string | null
}
export interface CasesStepReject {
  reason: string | null
}
export type CasesStepClose = Record<string, never>
export interface CasesStepCancel {
  reason: string | null
}
export interface CasesStepNote {
  photos?: Id[] | null
  note: string | null
}
export interface NoticesRow {
  id: Id
  version: number
  created_ms: number
  updated_ms: number
  archived_ms: number | null
  community_id?: Id
  _labels: Record<string, string | unknown[]>
  _actions: string[]
  _rights: ('update' | 'archive' | 'restore' | 'reveal')[]
  _masked: string[]
  state?: 'sent' | 'seen' | null
  title?: string | null
  text?: string | null
  person_id?: string | null
  about_id?: string | null
  seen_ms?: number | null
}
export interface NoticesPage {
  items: NoticesRow[]
  next: string | null
  total: number | null
}
export interface NoticesCreate {
  title: string
  text?: string | null
  person_id: string
  community_id?: Id
}
export type NoticesPatch = Record<string, never>
export type NoticesReveal = Record<string, never>
export type NoticesStepSee = Record<string, never>
export interface UsersRow {
  id: Id
  version: number
  created_ms: number
  updated_ms: number
  archived_ms: number | null
  _labels: Record<string, string | unknown[]>
  _actions: string[]
  _rights: ('update' | 'archive' | 'restore' | 'reveal')[]
  _masked: string[]
  state?: 'active' | 'closed' | null
  login?: string | null
  person_id?: string | null
  seen_ms?: number | null
}
export interface UsersPage {
  items: UsersRow[]
  next: string | null
  total: number | null
}
export interface UsersCreate {
  login: string
  person_id: string
}
export type UsersPatch = Record<string, never>
export type UsersReveal = Record<string, never>
export type UsersStepClose = Record<string, never>
export type UsersStepOpen = Record<string, never>
export interface UsersStepSetPassword {
  password: string | null
}
export interface IdeasRow {
  id: Id
  version: number
  created_ms: number
  updated_ms: number
  archived_ms: number | null
  community_id?: Id
  _labels: Record<string, string | unknown[]>
  _actions: string[]
  _rights: ('update' | 'archive' | 'restore' | 'reveal')[]
  _masked: string[]
  state?: 'sent' | 'answered' | 'adopted' | 'done' | 'declined' | null
  title?: string | null
  topic?: 'safety' | 'environment' | 'service' | 'culture' | 'traffic' | 'other' | null
  text?: string | null
  place_id?: string | null
  photos?: File[] | null
  author_id?: string | null
  reply_due_ms?: number | null
  late?: boolean | null
  reply?: string | null
  replied_ms?: number | null
  outcome?: string | null
}
export interface IdeasPage {
  items: IdeasRow[]
  next: string | null
  total: number | null
}
export interface IdeasCreate {
  title: string
  topic: 'safety' | 'environment' | 'service' | 'culture' | 'traffic' | 'other'
  text: string
  place_id?: string | null
  photos?: Id[] | null
  author_id: string
  community_id?: Id
}
export interface IdeasPatch {
  title?: string | null
  topic?: 'safety' | 'environment' | 'service' | 'culture' | 'traffic' | 'other' | null
  text?: string | null
  place_id?: string | null
  photos?: Id[] | null
}
export type IdeasReveal = Record<string, never>
export interface IdeasStepAnswer {
  reply: string | null
}
export interface IdeasStepAdopt {
  reply: string | null
}
export interface IdeasStepDecline {
  reply: string | null
}
export interface IdeasStepFinish {
  outcome: string | null
}
export interface VisitsRow {
  id: Id
  version: number
  created_ms: number
  updated_ms: number
  archived_ms: number | null
  community_id?: Id
  _labels: Record<string, string | unknown[]>
  _actions: string[]
  _rights: ('update' | 'archive' | 'restore' | 'reveal')[]
  _masked: string[]
  state?: 'asked' | 'approved' | 'inside' | 'gone' | 'refused' | 'expired' | null
  name?: string | null
  purpose?: 'family' | 'housework' | 'repair' | 'delivery' | 'decoration' | 'viewing' | 'other' | null
  place_id?: string | null
  from_ms?: number | null
  until_ms?: number | null
  transport?: 'walk' | 'bicycle' | 'car' | 'van' | 'truck' | null
  host_id?: string | null
  phone?: string | null
  plate?: string | null
  reason?: string | null
  entered_ms?: number | null
  left_ms?: number | null
}
export interface VisitsPage {
  items: VisitsRow[]
  next: string | null
  total: number | null
}
export interface VisitsCreate {
  name: string
  purpose: 'family' | 'housework' | 'repair' | 'delivery' | 'decoration' | 'viewing' | 'other'
  place_id?: string | null
  from_ms: number
  until_ms: number
  transport?: 'walk' | 'bicycle' | 'car' | 'van' | 'truck' | null
  host_id: string
  phone?: string | null
  plate?: string | null
  community_id?: Id
}
export interface VisitsPatch {
  name?: string | null
  purpose?: 'family' | 'housework' | 'repair' | 'delivery' | 'decoration' | 'viewing' | 'other' | null
  from_ms?: number | null
  until_ms?: number | null
  transport?: 'walk' | 'bicycle' | 'car' | 'van' | 'truck' | null
  phone?: string | null
  plate?: string | null
}
export interface VisitsReveal {
  name?: string | null
  phone?: string | null
  plate?: string | null
}
export type VisitsStepApprove = Record<string, never>
export interface VisitsStepRefuse {
  reason: string | null
}
export type VisitsStepEnter = Record<string, never>
export type VisitsStepLeave = Record<string, never>
export interface ActivitiesRow {
  id: Id
  version: number
  created_ms: number
  updated_ms: number
  archived_ms: number | null
  community_id?: Id
  _labels: Record<string, string | unknown[]>
  _actions: string[]
  _rights: ('update' | 'archive' | 'restore' | 'reveal')[]
  _masked: string[]
  state?: 'draft' | 'review' | 'published' | 'held' | 'refused' | 'cancelled' | null
  title?: string | null
  kind?: 'class' | 'advice' | 'clinic' | 'repair' | 'culture' | 'sport' | null
  place_id?: string | null
  from_ms?: number | null
  until_ms?: number | null
  seats?: number | null
  text?: string | null
  photos?: File[] | null
  partner_id?: string | null
  reason?: string | null
}
export interface ActivitiesPage {
  items: ActivitiesRow[]
  next: string | null
  total: number | null
}
export interface ActivitiesCreate {
  title: string
  kind: 'class' | 'advice' | 'clinic' | 'repair' | 'culture' | 'sport'
  place_id: string
  from_ms: number
  until_ms: number
  seats: number
  text?: string | null
  photos?: Id[] | null
  partner_id: string
  community_id?: Id
}
export interface ActivitiesPatch {
  title?: string | null
  kind?: 'class' | 'advice' | 'clinic' | 'repair' | 'culture' | 'sport' | null
  place_id?: string | null
  from_ms?: number | null
  until_ms?: number | null
  seats?: number | null
  text?: string | null
  photos?: Id[] | null
}
export type ActivitiesReveal = Record<string, never>
export type ActivitiesStepSubmit = Record<string, never>
export type ActivitiesStepPublish = Record<string, never>
export interface ActivitiesStepRefuse {
  reason: string | null
}
export type ActivitiesStepRevise = Record<string, never>
export interface ActivitiesStepCancel {
  reason: string | null
}
export interface OpenActivitiesRow {
  id: Id
  version: number
  created_ms: number
  updated_ms: number
  archived_ms: number | null
  community_id?: Id
  _labels: Record<string, string | unknown[]>
  _actions: string[]
  _rights: ('update' | 'archive' | 'restore' | 'reveal')[]
  _masked: string[]
  title?: string | null
  kind?: 'class' | 'advice' | 'clinic' | 'repair' | 'culture' | 'sport' | null
  place_id?: string | null
  from_ms?: number | null
  until_ms?: number | null
  seats?: number | null
  text?: string | null
}
export interface OpenActivitiesPage {
  items: OpenActivitiesRow[]
  next: string | null
  total: number | null
}
export interface AttendancesRow {
  id: Id
  version: number
  created_ms: number
  updated_ms: number
  archived_ms: number | null
  community_id?: Id
  _labels: Record<string, string | unknown[]>
  _actions: string[]
  _rights: ('update' | 'archive' | 'restore' | 'reveal')[]
  _masked: string[]
  state?: 'enrolled' | 'came' | 'absent' | null
  activity_id?: string | null
  person_id?: string | null
  came_ms?: number | null
  partner_id?: string | null
}
export interface AttendancesPage {
  items: AttendancesRow[]
  next: string | null
  total: number | null
}
export interface AttendancesCreate {
  activity_id: string
  person_id: string
  community_id?: Id
}
export type AttendancesPatch = Record<string, never>
export type AttendancesReveal = Record<string, never>
export type AttendancesStepAttend = Record<string, never>
export type AttendancesStepMiss = Record<string, never>
export interface SettingsRow {
  id: Id
  version: number
  created_ms: number
  updated_ms: number
  archived_ms: number | null
  community_id?: Id
  _labels: Record<string, string | unknown[]>
  _actions: string[]
  _rights: ('update' | 'archive' | 'restore' | 'reveal')[]
  _masked: string[]
  name?: 'commands.two_people' | 'passes.sure_pct' | 'passes.late_s' | 'passes.wrong_codes' | 'passes.pause_min' | 'passes.kept_days' | 'today.banner_zh' | 'today.banner_en' | 'ideas.reply_days' | null
  value?: string | null
  standard?: string | null
  unit?: string | null
  kind?: 'int' | 'decimal' | 'money' | 'flag' | 'text' | null
  smallest?: number | null
  largest?: number | null
}
export interface SettingsPage {
  items: SettingsRow[]
  next: string | null
  total: number | null
}
export interface SettingsCreate {
  name: 'commands.two_people' | 'passes.sure_pct' | 'passes.late_s' | 'passes.wrong_codes' | 'passes.pause_min' | 'passes.kept_days' | 'today.banner_zh' | 'today.banner_en' | 'ideas.reply_days'
  value?: string | null
  community_id?: Id
}
export interface SettingsPatch {
  value?: string | null
}
export type SettingsReveal = Record<string, never>
export type SettingsStepReset = Record<string, never>
export interface WordsRow {
  id: Id
  version: number
  created_ms: number
  updated_ms: number
  archived_ms: number | null
  community_id?: Id
  _labels: Record<string, string | unknown[]>
  _actions: string[]
  _rights: ('update' | 'archive' | 'restore' | 'reveal')[]
  _masked: string[]
  key?: string | null
  zh?: string | null
  en?: string | null
}
export interface WordsPage {
  items: WordsRow[]
  next: string | null
  total: number | null
}
export interface WordsCreate {
  key: string
  zh?: string | null
  en?: string | null
  community_id?: Id
}
export interface WordsPatch {
  zh?: string | null
  en?: string | null
}
export type WordsReveal = Record<string, never>
/** Whose rows belong to a community; a new one may say which. */
export const ofCommunity: readonly string[] = ['places', 'place_parents', 'memberships', 'lines', 'devices', 'commands', 'passes', 'passages', 'rules', 'alarms', 'cases', 'notices', 'ideas', 'visits', 'activities', 'attendances', 'settings', 'words']
