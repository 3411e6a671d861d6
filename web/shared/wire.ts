// What codecs of device lines say, in the reader's words: events, and the "smoke_detector 1.1.40.131082" of fire panels.  The names
// are those of src/protocol/gb26875, the words those of GB/T 26875.3-2011, tables 4 and 5.
import { language } from './i18n'
import { eventName } from './metrics'

type Words = Record<string, readonly [string, string]>
export const events: Words = {
  fire_alarm: ['火警', 'Fire alarm'], fault: ['故障', 'Fault'], disabled: ['屏蔽', 'Disabled'], supervisory: ['监管', 'Supervisory'], started: ['启动', 'Started'],
  feedback: ['反馈', 'Feedback'], power_fault: ['电源故障', 'Power fault'], mains_fault: ['主电故障', 'Mains fault'], battery_fault: ['备电故障', 'Battery fault'],
  bus_fault: ['总线故障', 'Bus fault'], channel_fault: ['与监控中心通信信道故障', 'Channel to the centre faulty'], line_fault: ['监测连接线路故障', 'Monitored line faulty'],
  reset: ['复位', 'Reset'], silenced: ['消音', 'Silenced'], manual_alarm: ['手动报警', 'Manual alarm'], alarm_cleared: ['警情消除', 'Alarm cleared'], self_test: ['自检', 'Self-test'],
  confirmed: ['确认', 'Confirmed'], duty_answer: ['查岗应答', 'Duty answered'], test: ['测试', 'Test'], normal: ['正常', 'Normal'],
  delayed: ['延时', 'Delayed'], manual: ['手动状态', 'Manual mode'], configuration_changed: ['配置改变', 'Configuration changed']
}
/** Of readers and cameras at gates: src/protocol/osdp, vz, itsapi. */
const gates: Words = {
  plate_seen: ['识别到车牌', 'Plate seen'], plate_unread: ['没认出车牌', 'Plate not read'], input: ['输入闭合', 'Input closed'], card_read: ['刷卡', 'Card read'], keys_pressed: ['按键', 'Keys pressed'],
  tamper: ['被拆动', 'Tampered with'], power_failure: ['供电异常', 'Power failure'], reader_lost: ['读卡器失联', 'Reader lost'], reader_tamper: ['读卡器被拆动', 'Reader tampered with']
}
export const systems: Words = {
  system: ['系统', 'System'], general: ['通用系统', 'General system'], fire_alarm: ['火灾报警系统', 'Fire alarm system'], linkage: ['消防联动控制器', 'Linkage controller'], hydrant: ['消火栓系统', 'Hydrant system'],
  sprinkler: ['自动喷水灭火系统', 'Sprinkler system'], gas_extinguishing: ['气体灭火系统', 'Gas extinguishing system'], water_spray_pump: ['水喷雾灭火系统（泵启动）', 'Water spray system (pump)'],
  water_spray_vessel: ['水喷雾灭火系统（压力容器启动）', 'Water spray system (vessel)'], foam: ['泡沫灭火系统', 'Foam system'], dry_powder: ['干粉灭火系统', 'Dry powder system'],
  smoke_control: ['防烟排烟系统', 'Smoke control system'], fire_door: ['防火门及卷帘系统', 'Fire door and shutter system'], fire_lift: ['消防电梯', 'Fire lift'], broadcast: ['消防应急广播', 'Emergency broadcast'],
  emergency_light: ['消防应急照明和疏散指示系统', 'Emergency lighting and exit signs'], fire_power: ['消防电源', 'Fire power supply'], fire_telephone: ['消防电话', 'Fire telephone']
}
export const components: Words = {
  component: ['部件', 'Component'], alarm_controller: ['火灾报警控制器', 'Fire alarm controller'], gas_detector: ['可燃气体探测器', 'Gas detector'], electrical_fire_monitor: ['电气火灾监控报警器', 'Electrical fire monitor'],
  residual_current_detector: ['剩余电流探测器', 'Residual current detector'], temperature_detector: ['测温探测器', 'Temperature detector'], loop: ['探测回路', 'Detection loop'], repeater_panel: ['火灾显示盘', 'Repeater panel'],
  manual_call_point: ['手动火灾报警按钮', 'Manual call point'], hydrant_button: ['消火栓按钮', 'Hydrant button'], detector: ['火灾探测器', 'Fire detector'], heat_detector: ['感温探测器', 'Heat detector'],
  line_heat_detector: ['线型感温探测器', 'Line heat detector'], fibre_heat_detector: ['光纤感温探测器', 'Fibre heat detector'], smoke_detector: ['感烟探测器', 'Smoke detector'], ion_smoke_detector: ['离子感烟探测器', 'Ion smoke detector'],
  photoelectric_smoke_detector: ['光电感烟探测器', 'Photoelectric smoke detector'], beam_smoke_detector: ['光束感烟探测器', 'Beam smoke detector'], aspirating_smoke_detector: ['吸气式感烟探测器', 'Aspirating smoke detector'],
  combined_detector: ['复合式探测器', 'Combined detector'], uv_flame_detector: ['紫外火焰探测器', 'UV flame detector'], ir_flame_detector: ['红外火焰探测器', 'IR flame detector'], flame_detector: ['感光探测器', 'Flame detector'],
  image_detector: ['图像型火灾探测器', 'Image fire detector'], sound_detector: ['感声探测器', 'Sound detector'], gas_extinguishing_controller: ['气体灭火控制器', 'Gas extinguishing controller'], electrical_control: ['消防电气控制装置', 'Electrical control'],
  graphic_display: ['图形显示装置', 'Graphic display'], module: ['模块', 'Module'], input_module: ['输入模块', 'Input module'], output_module: ['输出模块', 'Output module'], input_output_module: ['输入输出模块', 'Input/output module'],
  relay_module: ['中继模块', 'Relay module'], fire_pump: ['消防水泵', 'Fire pump'], water_tank: ['消防水箱', 'Water tank'], sprinkler_pump: ['喷淋泵', 'Sprinkler pump'], flow_switch: ['水流指示器', 'Flow switch'], signal_valve: ['信号阀', 'Signal valve'],
  alarm_valve: ['报警阀', 'Alarm valve'], pressure_switch: ['压力开关', 'Pressure switch'], valve_actuator: ['阀驱动装置', 'Valve actuator'], fire_door: ['防火门', 'Fire door'], fire_valve: ['防火阀', 'Fire damper'],
  ventilation: ['通风空调', 'Ventilation'], foam_pump: ['泡沫液泵', 'Foam pump'], solenoid_valve: ['管网电磁阀', 'Solenoid valve'], smoke_fan: ['防烟排烟风机', 'Smoke fan'], smoke_damper: ['排烟防火阀', 'Smoke damper'],
  supply_outlet: ['常闭送风口', 'Air supply outlet'], smoke_outlet: ['排烟口', 'Smoke outlet'], smoke_curtain: ['电控挡烟垂壁', 'Smoke curtain'], shutter_controller: ['防火卷帘控制器', 'Shutter controller'],
  door_monitor: ['防火门监控器', 'Fire door monitor'], alarm_sounder: ['警报装置', 'Alarm sounder']
}
const device = ['用户信息传输装置', 'User information transmitter'] as const
const operator = ['操作员', 'Operator'] as const
const pick = (w: readonly [string, string] | undefined): string | undefined => w && w[language.value === 'zh' ? 0 : 1]

/** An event's code in words: the standard's, else those of a model; one that nobody knows is as its device says it. */
export const eventWords = (code: string): string => pick(Object.hasOwn(events, code) ? events[code] : Object.hasOwn(gates, code) ? gates[code] : undefined) ?? (eventName(code) || code)
/** The codec's part of an event's text in words; what the panel wrote of its place, and any other text, stays as it is. */
export function wireWords(text: string): string {
  const m = /^([a-z_]+)(?: (\d+(?:\.\d+)*))?(?= |$)/.exec(text)
  const name = m?.[1] ?? '', numbers = m?.[2]?.split('.').length ?? 0
  const table: Words = numbers === 4 ? components : numbers === 2 ? systems : numbers === 1 ? { operator } : text === 'device' ? { device } : {}
  const words = pick(Object.hasOwn(table, name) ? table[name] : undefined)
  return words ? words + text.slice(name.length) : text
}
/** The same for a list: the address goes where the panel wrote the place in words. */
export const wireShort = (text: string): string => wireWords(text).replace(/^(.+?) \d+(?:\.\d+){3} (?=\S)/, '$1 ')
