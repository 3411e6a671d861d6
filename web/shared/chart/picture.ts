// What is drawn as a picture to keep: one SVG with every plot below the one before, each rule of style written beside its shape, so
// that it looks the same without our style sheet.
const SPACE = 'http://www.w3.org/2000/svg', PAD = 20, HEAD = 46, TITLE = 26
const kept = ['fill', 'stroke', 'stroke-width', 'stroke-dasharray', 'stroke-linecap', 'stroke-linejoin', 'opacity', 'font-size', 'font-family', 'font-weight', 'text-anchor', 'paint-order', 'font-variant-numeric'] as const

export interface Part { title: string; svg: SVGSVGElement }
/** A copy with its looks in attributes; what follows the pointer stays out. */
export function dressed(svg: SVGSVGElement): SVGSVGElement {
  const copy = svg.cloneNode(true) as SVGSVGElement
  const from = [svg, ...svg.querySelectorAll('*')], to = [copy, ...copy.querySelectorAll('*')]
  from.forEach((e, i) => {
    const s = getComputedStyle(e), c = to[i]!
    for (const a of kept) { const v = s.getPropertyValue(a); if (v && !(a === 'fill' && e.getAttribute('fill'))) c.setAttribute(a, v) }
    for (const a of ['class', 'tabindex', 'style']) c.removeAttribute(a)
    for (const a of [...c.attributes]) if (a.name.startsWith('data-v-')) c.removeAttribute(a.name)
  })
  from.forEach((e, i) => { if (e.matches('.hover, .chosen')) to[i]!.remove() })
  return copy
}
function words(text: string, x: number, y: number, size: number, bold: boolean, like: CSSStyleDeclaration): SVGTextElement {
  const e = document.createElementNS(SPACE, 'text')
  for (const [k, v] of Object.entries({ x, y, fill: like.color, 'font-size': size, 'font-weight': bold ? 600 : 400, 'font-family': like.fontFamily })) e.setAttribute(k, String(v))
  e.textContent = text
  return e
}
export function pictureOf(title: string, under: string, parts: Part[]): { text: string; width: number; height: number } {
  const all = document.createElementNS(SPACE, 'svg'), body = getComputedStyle(document.body), surface = getComputedStyle(document.documentElement).getPropertyValue('--surface').trim()
  const sizes = parts.map((p) => p.svg.viewBox.baseVal)
  const width = Math.max(...sizes.map((s) => s.width)) + 2 * PAD
  let y = PAD + HEAD
  const back = document.createElementNS(SPACE, 'rect')
  all.append(back, words(title, PAD, PAD + 14, 16, true, body), words(under, PAD, PAD + 34, 13, false, body))
  parts.forEach((p, i) => {
    const copy = dressed(p.svg)
    all.append(words(p.title, PAD, y + TITLE - 4, 14, true, body))
    for (const [k, v] of Object.entries({ x: PAD, y: y + TITLE, width: sizes[i]!.width, height: sizes[i]!.height })) copy.setAttribute(k, String(v))
    all.append(copy)
    y += TITLE + sizes[i]!.height + 8
  })
  const height = y + PAD
  for (const [k, v] of Object.entries({ width: '100%', height: '100%', fill: surface })) back.setAttribute(k, v)
  for (const [k, v] of Object.entries({ xmlns: SPACE, width, height, viewBox: `0 0 ${width} ${height}` })) all.setAttribute(k, String(v))
  return { text: new XMLSerializer().serializeToString(all), width, height }
}
function hand(blob: Blob, name: string): void {
  const a = document.createElement('a')
  a.href = URL.createObjectURL(blob)
  a.download = name
  a.click()
  setTimeout(() => URL.revokeObjectURL(a.href), 10e3)
}
export const saveSvg = (text: string, name: string): void => hand(new Blob([text], { type: 'image/svg+xml' }), name + '.svg')
const SHARP = 2
export async function savePng(p: { text: string; width: number; height: number }, name: string): Promise<void> {
  const address = URL.createObjectURL(new Blob([p.text], { type: 'image/svg+xml' }))
  try {
    const image = new Image()
    image.src = address
    await image.decode()
    const canvas = document.createElement('canvas')
    canvas.width = p.width * SHARP
    canvas.height = p.height * SHARP
    canvas.getContext('2d')!.drawImage(image, 0, 0, canvas.width, canvas.height)
    const blob = await new Promise<Blob | null>((r) => { canvas.toBlob(r, 'image/png') })
    if (blob) hand(blob, name + '.png')
  } finally { URL.revokeObjectURL(address) }
}
