import { handle } from './request-main.mjs'

addEventListener('fetch', event => event.respondWith(handle(event.request)))
