// Trusted types: nothing of ours makes HTML or script from text; only emptying a box and our own origin's scripts pass.
if (window.trustedTypes) {
  window.trustedTypes.createPolicy('default', {
    createHTML: (s) => { if (s === '') return s; throw new TypeError('HTML from text') },
    createScriptURL: (s) => { if (new URL(s, location.href).origin === location.origin) return s; throw new TypeError('foreign script') }
  })
}
