// Single-letter keys; never while somebody types.
import { onMounted, onUnmounted } from 'vue'

export function useKeys(map: Record<string, (e: KeyboardEvent) => void>): void {
  function down(e: KeyboardEvent): void {
    const el = e.target as HTMLElement
    if (e.altKey || e.metaKey || document.querySelector('dialog[open]')) return
    const name = (e.ctrlKey ? 'Ctrl+' : '') + e.key
    if (!e.ctrlKey && (el.isContentEditable || /^(INPUT|TEXTAREA|SELECT)$/.test(el.tagName))) return
    const fn = map[name]
    if (!fn) return
    e.preventDefault()
    fn(e)
  }
  onMounted(() => window.addEventListener('keydown', down))
  onUnmounted(() => window.removeEventListener('keydown', down))
}
