// Single-letter keys; never while somebody types.
import { onMounted, onUnmounted, ref, watch } from 'vue'

/** Whether single letters act; who dictates or types by chance switches them off (WCAG 2.1.4). */
export const letters = ref(localStorage.getItem('linli.letters') !== 'off')
watch(letters, (v) => localStorage.setItem('linli.letters', v ? 'on' : 'off'))

export function useKeys(map: Record<string, (e: KeyboardEvent) => void>): void {
  function down(e: KeyboardEvent): void {
    const el = e.target as HTMLElement
    if (e.altKey || e.metaKey || document.querySelector('dialog[open]')) return
    const name = (e.ctrlKey ? 'Ctrl+' : '') + e.key
    if (!e.ctrlKey && (el.isContentEditable || /^(INPUT|TEXTAREA|SELECT)$/.test(el.tagName))) return
    if (!e.ctrlKey && e.key.length === 1 && !letters.value && e.key !== '?') return
    if (/^(BUTTON|A|SUMMARY)$/.test(el.tagName) && (e.key === 'Enter' || e.key === ' ')) return // the button's own press
    const fn = map[name]
    if (!fn) return
    e.preventDefault()
    fn(e)
  }
  onMounted(() => window.addEventListener('keydown', down))
  onUnmounted(() => window.removeEventListener('keydown', down))
}
