import { handle } from './request-main.mjs'

export default { fetch: handle }
