// The program that runs inside a worker: one tokenizer, calls answered as they come.
import { workerPort } from '#platform'
import { linkTo } from './link.js'
import { serve } from './serve.js'

serve(linkTo(workerPort()))
