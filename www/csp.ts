/**
 * What the page may reach. Pictures can leave the tab by no road but `connect-src`, and that one is open for a single
 * purpose: a model's address that the user types, which may be on any https server. The page's own code asks for nothing
 * outside its origin; a test drives a whole session and fails on the first request that does.
 */
export const contentSecurityPolicy = [
  "default-src 'self'",
  "script-src 'self' 'wasm-unsafe-eval'",
  "worker-src 'self'",
  "img-src 'self' blob:",
  "media-src blob:",
  "connect-src 'self' https:",
  "object-src 'none'",
  "base-uri 'none'",
  "form-action 'none'",
].join("; ");
