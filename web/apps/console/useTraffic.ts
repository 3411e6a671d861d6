// How many frames a minute a line hears while its page is open, of the counter that the page reads anyway.
import { computed, ref } from 'vue'

const WINDOWS = 40
export function useTraffic() {
  const counts = ref<{ at: number; frames: number }[]>([]) // as they were read
  /** A counter that is smaller than before has begun anew. */
  function count(frames: number, at = Date.now()): void {
    const last = counts.value[counts.value.length - 1]
    counts.value = last && frames < last.frames ? [{ at, frames }] : [...counts.value.slice(-WINDOWS), { at, frames }]
  }
  const rate = (a: { at: number; frames: number }, b: { at: number; frames: number }): number => (b.frames - a.frames) / Math.max(1, b.at - a.at) * 60e3
  const perMinute = computed(() => (counts.value.length < 2 ? null : rate(counts.value[0]!, counts.value[counts.value.length - 1]!)))
  const each = computed(() => counts.value.slice(1).map((c, i) => rate(counts.value[i]!, c)))
  return { count, perMinute, each, forget: (): void => { counts.value = [] } }
}
