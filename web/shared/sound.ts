// A short two-tone sound for what is urgent; made here, no file.  Browsers allow it after the first press on the page.
let context: AudioContext | null = null
export function chime(): void {
  try {
    context ??= new AudioContext()
    const from = context.currentTime
    for (const [hertz, after] of [[880, 0], [660, 0.18]] as const) {
      const tone = context.createOscillator(), gain = context.createGain()
      tone.frequency.value = hertz
      gain.gain.setValueAtTime(0.0001, from + after)
      gain.gain.exponentialRampToValueAtTime(0.2, from + after + 0.02)
      gain.gain.exponentialRampToValueAtTime(0.0001, from + after + 0.16)
      tone.connect(gain).connect(context.destination)
      tone.start(from + after)
      tone.stop(from + after + 0.17)
    }
  } catch { /* no sound device: the live region and the mark still tell */ }
}
