// How many drawers stand open: the menu folds beside one.
import { onMounted, onUnmounted, ref } from 'vue'
export const drawers = ref(0)
export function useDrawer(): void {
  onMounted(() => { drawers.value++ })
  onUnmounted(() => { drawers.value-- })
}
