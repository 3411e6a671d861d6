export function generate(doc: object): string
export const target: string
