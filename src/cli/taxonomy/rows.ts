// The taxonomy of "Discrete Audio Tokens: More Than a Survey!" (Mousavi et al., 2025, arXiv 2506.10274, table of tokenizers), with a row for
// every codec and tokenizer that this project knows. What a source does not say is left out.

/** How a tokenizer is made, in the survey's terms. */
export interface TaxonomyRow {
  readonly name: string
  /** Family of this library that runs it, or what of it the library has; absent: nothing. */
  readonly family?: string
  readonly tools?: string
  /** Encoder and decoder: CNN, RNN, T (transformer), sums of them; SSL: a self-supervised model whose features are quantized. */
  readonly architecture: string
  /** T: waveform, T-F: spectrum, F: features of another model. */
  readonly representation: 'T' | 'T-F' | 'F'
  /** SVQ, RVQ, GVQ (groups), MSRVQ (several rates), PQ and MVQ (products and sums of codebooks), FSQ, K-means, none (continuous). */
  readonly quantizer: string
  readonly codebooks: number
  /** Entries of each codebook. */
  readonly entries?: number
  /** Frames per second. */
  readonly frameRates: readonly number[]
  /** With all codebooks, where they are searched one after another; kbit/s. */
  readonly kbps?: readonly number[]
  /** Rec: reconstruction, GAN, Feat: feature matching, VQ: commitment, Diff, MP: masked prediction. */
  readonly objectives: string
  /** SD: semantic distillation, Dis: disentanglement, SST: supervised semantic training. */
  readonly auxiliary?: string
  readonly domain: string
  readonly streams: boolean
  /** Hz. */
  readonly sampleRates: readonly number[]
  /** Specification in this project's terms, or where it is described. */
  readonly source: string
}

const CODEC = 'GAN, Feat, Rec, VQ'

// biome-ignore format: a table
export const TAXONOMY: readonly TaxonomyRow[] = [
  { name: 'mini', family: 'mini', architecture: 'CNN', representation: 'T-F', quantizer: 'SVQ', codebooks: 1, entries: 4096, frameRates: [75], kbps: [0.9], objectives: 'GAN, Rec, VQ', auxiliary: 'SD', domain: 'speech', streams: true, sampleRates: [24_000], source: 'training/SPEC.md' },
  { name: 'WavTokenizer', family: 'wavtokenizer', architecture: 'CNN+RNN+T', representation: 'T', quantizer: 'SVQ', codebooks: 1, entries: 4096, frameRates: [40, 75], kbps: [0.48, 0.9], objectives: CODEC, domain: 'speech, music, audio', streams: false, sampleRates: [24_000], source: 'Ji et al., 2024' },
  { name: 'EnCodec', family: 'encodec', architecture: 'CNN+RNN', representation: 'T', quantizer: 'RVQ', codebooks: 32, entries: 1024, frameRates: [75, 150], kbps: [24], objectives: CODEC, domain: 'speech, music, audio', streams: true, sampleRates: [24_000, 48_000], source: 'Défossez et al., 2022' },
  { name: 'EnCodec 32 kHz (MusicGen)', family: 'encodec', architecture: 'CNN+RNN', representation: 'T', quantizer: 'RVQ', codebooks: 4, entries: 2048, frameRates: [50], kbps: [2.2], objectives: CODEC, domain: 'music', streams: false, sampleRates: [32_000], source: 'Copet et al., 2023' },
  { name: 'DAC', family: 'dac', architecture: 'CNN', representation: 'T', quantizer: 'RVQ', codebooks: 9, entries: 1024, frameRates: [50, 75, 86.13], kbps: [6, 24, 7.75], objectives: CODEC, domain: 'speech, music, audio', streams: false, sampleRates: [16_000, 24_000, 44_100], source: 'Kumar et al., 2023' },
  { name: 'SNAC', family: 'snac', architecture: 'CNN', representation: 'T', quantizer: 'MSRVQ', codebooks: 3, entries: 4096, frameRates: [11.72, 23.44, 46.88], kbps: [0.98], objectives: CODEC, domain: 'speech, music', streams: false, sampleRates: [24_000, 32_000, 44_100], source: 'Siuzdak et al., 2024' },
  { name: 'Mimi (Moshi)', family: 'mimi', architecture: 'CNN+T', representation: 'T', quantizer: 'RVQ', codebooks: 32, entries: 2048, frameRates: [12.5], kbps: [4.4], objectives: CODEC, auxiliary: 'SD', domain: 'speech', streams: true, sampleRates: [24_000], source: 'Défossez et al., 2024' },
  { name: 'SpeechTokenizer', family: 'dmcodec', architecture: 'CNN+RNN', representation: 'T', quantizer: 'RVQ', codebooks: 8, entries: 1024, frameRates: [50], kbps: [4], objectives: CODEC, auxiliary: 'SD', domain: 'speech', streams: false, sampleRates: [16_000], source: 'Zhang et al., 2023' },
  { name: 'DM-Codec', family: 'dmcodec', architecture: 'CNN+RNN', representation: 'T', quantizer: 'RVQ', codebooks: 8, entries: 1024, frameRates: [50], kbps: [4], objectives: CODEC, auxiliary: 'SD', domain: 'speech', streams: false, sampleRates: [16_000], source: 'Ahasan et al., 2024' },
  { name: 'Language-Codec', family: 'languagecodec', architecture: 'CNN+RNN', representation: 'T', quantizer: 'RVQ', codebooks: 8, entries: 1024, frameRates: [75], kbps: [6], objectives: CODEC, domain: 'speech', streams: false, sampleRates: [24_000], source: 'Ji et al., 2024' },
  { name: 'Vocos', family: 'vocos', architecture: 'CNN', representation: 'T-F', quantizer: 'none (decodes mel frames or EnCodec)', codebooks: 0, frameRates: [75, 93.75], objectives: 'GAN, Feat, Rec', domain: 'speech, music', streams: false, sampleRates: [24_000], source: 'Siuzdak, 2023' },
  { name: 'X-Codec', architecture: 'CNN+SSL', representation: 'T', quantizer: 'RVQ', codebooks: 8, entries: 1024, frameRates: [50], kbps: [4], objectives: CODEC, auxiliary: 'SD', domain: 'speech, audio', streams: false, sampleRates: [16_000], source: 'Ye et al., 2024' },
  { name: 'MaskGCT semantic codec', tools: 'factorised VQ over given features (wavtok/quantizers)', architecture: 'SSL+CNN', representation: 'F', quantizer: 'SVQ', codebooks: 1, entries: 8192, frameRates: [50], kbps: [0.65], objectives: 'Rec, VQ', domain: 'speech', streams: false, sampleRates: [16_000], source: 'Wang et al., 2024' },
  { name: 'MaskGCT acoustic codec', architecture: 'CNN', representation: 'T', quantizer: 'RVQ', codebooks: 12, entries: 1024, frameRates: [50], kbps: [6], objectives: CODEC, domain: 'speech', streams: false, sampleRates: [24_000], source: 'Wang et al., 2024' },
  { name: 'Vevo content tokens', tools: 'VQ over given features, duration reduction', architecture: 'SSL+CNN', representation: 'F', quantizer: 'SVQ', codebooks: 1, entries: 32, frameRates: [50], kbps: [0.25], objectives: 'Rec, VQ', auxiliary: 'Dis', domain: 'speech', streams: false, sampleRates: [16_000], source: 'Zhang et al., 2025' },
  { name: 'Vevo content-style tokens', tools: 'factorised VQ over given features', architecture: 'SSL+CNN', representation: 'F', quantizer: 'SVQ', codebooks: 1, entries: 8192, frameRates: [50], kbps: [0.65], objectives: 'Rec, VQ', auxiliary: 'Dis', domain: 'speech', streams: false, sampleRates: [16_000], source: 'Zhang et al., 2025' },
  { name: 'VoxCPM AudioVAE', tools: 'FSQ over given features', architecture: 'CNN', representation: 'T', quantizer: 'none (continuous; FSQ inside the language model)', codebooks: 0, frameRates: [25], objectives: 'GAN, Rec', domain: 'speech', streams: true, sampleRates: [16_000], source: 'VoxCPM, 2025' },
  { name: 'BEATs tokenizer', architecture: 'SSL', representation: 'T-F', quantizer: 'SVQ', codebooks: 1, entries: 1024, frameRates: [50], kbps: [0.5], objectives: 'MP, VQ', auxiliary: 'SD', domain: 'audio', streams: false, sampleRates: [16_000], source: 'Chen et al., 2022' },
  { name: 'BEST-RQ, BEATs iteration 1', tools: 'random-projection quantizer (wavtok/quantizers)', architecture: '-', representation: 'T-F', quantizer: 'PQ (random projection)', codebooks: 1, entries: 1024, frameRates: [50], kbps: [0.5], objectives: 'none', domain: 'speech, audio', streams: false, sampleRates: [16_000], source: 'Chiu et al., 2022' },
  { name: 'SPEAR targets', tools: 'multi-codebook VQ with refinement (wavtok/quantizers)', architecture: 'SSL', representation: 'F', quantizer: 'MVQ', codebooks: 16, entries: 256, frameRates: [50], kbps: [6.4], objectives: 'MP', domain: 'speech, audio', streams: false, sampleRates: [16_000], source: 'SPEAR, 2025' },
  { name: 'SimCodec (GenSE)', tools: 'grouped VQ (wavtok/quantizers)', architecture: 'CNN', representation: 'T', quantizer: 'GVQ', codebooks: 1, entries: 8192, frameRates: [50], kbps: [0.65], objectives: CODEC, domain: 'speech', streams: false, sampleRates: [16_000], source: 'Yao et al., 2025' },
  { name: 'USToken (DualSpeechLM)', tools: 'VQ over given features', architecture: 'SSL+CNN', representation: 'F', quantizer: 'SVQ', codebooks: 1, entries: 1024, frameRates: [25], kbps: [0.25], objectives: 'VQ', auxiliary: 'SST', domain: 'speech', streams: false, sampleRates: [16_000], source: 'DualSpeechLM, 2025' },
  { name: 'SoundStream (Make-A-Voice)', tools: 'truncation and flattening of codebooks (wavtok/codes)', architecture: 'CNN', representation: 'T', quantizer: 'RVQ', codebooks: 12, entries: 1024, frameRates: [50], kbps: [6], objectives: CODEC, domain: 'speech, singing', streams: true, sampleRates: [16_000], source: 'Huang et al., 2023' },
  { name: 'HuBERT units (Make-A-Voice)', tools: 'k-means units (wavtok/quantizers)', architecture: 'SSL', representation: 'F', quantizer: 'K-means', codebooks: 1, frameRates: [50], objectives: 'MP', domain: 'speech', streams: false, sampleRates: [16_000], source: 'Huang et al., 2023' },
  { name: 'VALL-E R', family: 'encodec', tools: 'merged codes (wavtok/codes)', architecture: 'CNN+RNN', representation: 'T', quantizer: 'RVQ', codebooks: 8, entries: 1024, frameRates: [37.5, 75], kbps: [6], objectives: CODEC, domain: 'speech', streams: true, sampleRates: [24_000], source: 'Han et al., 2024' },
  { name: 'Vec-Tok', tools: 'k-means units with the mean taken away, BPE (wavtok/quantizers, wavtok/codes)', architecture: 'SSL', representation: 'F', quantizer: 'K-means', codebooks: 1, entries: 300, frameRates: [50], objectives: 'MP', domain: 'speech', streams: false, sampleRates: [16_000], source: 'Zhu et al., 2023' },
  { name: 'MeLoDy', architecture: 'CNN', representation: 'T', quantizer: 'none (continuous)', codebooks: 0, frameRates: [250], objectives: 'GAN, Rec', domain: 'music', streams: false, sampleRates: [24_000], source: 'Lam et al., 2023' },
]
