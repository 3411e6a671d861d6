// What hands do on a plot: hover, drag, wheel, pinch, keys; said as wishes in time.
import { ref } from 'vue'
import type { Range } from './scale'

export interface Wishes {
  msAt: (clientX: number) => number; range: () => Range; hover: (ms: number | null) => void; step: (by: number) => void
  pan: (ms: number) => void; zoom: (factor: number, about: number) => void; select: (a: number, b: number) => void; back: () => void
}
const NEAR_PX = 4 // less is a press, not a drag
const KEY_PAN = 0.25, KEY_ZOOM = 2
export function useHands(w: Wishes) {
  const dragging = ref(false)
  const chosen = ref<[number, number] | null>(null)
  const pointers = new Map<number, { x: number }>()
  let begin = 0, moved = false
  const width = (): number => w.range().to - w.range().from
  const centre = (): number => (w.range().from + w.range().to) / 2
  function down(e: PointerEvent): void {
    if (e.button !== 0 || pointers.size === 2) return
    pointers.set(e.pointerId, { x: e.clientX })
    begin = e.clientX
    moved = false
    ;(e.currentTarget as Element).setPointerCapture?.(e.pointerId)
    if (e.shiftKey) { const ms = w.msAt(e.clientX); chosen.value = [ms, ms] }
  }
  function move(e: PointerEvent): void {
    const p = pointers.get(e.pointerId)
    if (!p) { w.hover(w.msAt(e.clientX)); return }
    if (Math.abs(e.clientX - begin) > NEAR_PX) moved = true
    if (chosen.value) { chosen.value = [chosen.value[0], w.msAt(e.clientX)]; return }
    const other = [...pointers].find(([id]) => id !== e.pointerId)?.[1]
    if (other) { // two fingers: what is between them stays between them
      const before = Math.abs(p.x - other.x), after = Math.abs(e.clientX - other.x)
      if (before > NEAR_PX && after > NEAR_PX) w.zoom(before / after, w.msAt((e.clientX + other.x) / 2))
    } else if (moved) { dragging.value = true; w.hover(null); w.pan(w.msAt(p.x) - w.msAt(e.clientX)) }
    if (moved || other) p.x = e.clientX
  }
  function up(e: PointerEvent): void {
    if (!pointers.delete(e.pointerId)) return
    if (chosen.value) { const [a, b] = chosen.value; chosen.value = null; if (moved) w.select(a, b) }
    else if (!moved && e.pointerType !== 'mouse') w.hover(w.msAt(e.clientX))
    dragging.value = false
  }
  const leave = (e: PointerEvent): void => { if (e.pointerType === 'mouse' && !pointers.size) w.hover(null) }
  const double = (e: MouseEvent): void => { w.zoom(1 / KEY_ZOOM, w.msAt(e.clientX)) }
  // The page scrolls under a wheel unless the plot has the focus, or Ctrl is held (so do track pads say a pinch).
  function wheel(e: WheelEvent): void {
    if (Math.abs(e.deltaX) > Math.abs(e.deltaY)) { e.preventDefault(); w.pan(width() * e.deltaX / 800); return }
    if (!e.ctrlKey && document.activeElement !== e.currentTarget) return
    e.preventDefault()
    w.zoom(Math.min(2, Math.max(0.5, 1.0015 ** e.deltaY)), w.msAt(e.clientX))
  }
  function keys(e: KeyboardEvent): void {
    if (e.ctrlKey || e.metaKey || e.altKey) return
    const to = { ArrowLeft: -1, ArrowRight: 1, PageUp: -4, PageDown: 4 }[e.key]
    if (e.key === 'End') w.step(Infinity)
    else if (to !== undefined && e.shiftKey) w.step(to)
    else if (to !== undefined) w.pan(width() * KEY_PAN * to)
    else if (e.key === '+' || e.key === '=') w.zoom(1 / KEY_ZOOM, centre())
    else if (e.key === '-' || e.key === '_') w.zoom(KEY_ZOOM, centre())
    else if (e.key === 'Home') w.back()
    else if (e.key === 'Escape') { w.hover(null); return }
    else return
    e.preventDefault()
  }
  return { dragging, chosen, down, move, up, leave, double, wheel, keys }
}
