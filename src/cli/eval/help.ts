export const EVAL_HELP = `wavtok eval IN... [-o REPORT]...    how well one or several models do on recordings

IN is a directory (every audio file below it) or an audio file. Each goes through the model and back. Told per file: STOI and ESTOI,
mel, STFT and log-spectral distance, mel-cepstral distortion, SI-SDR, F0 and voicing, round-trip stability (codes that the decoded
audio has again), speed. Then over all files: means with 95 % bootstrap intervals, and what the tokens are like (codes used,
perplexity, conditional entropy, bits per second that a 3-gram model of other files leaves).
Measures are taken at the model's sample rate, on what both have in length. SI-SDR is low for decoders that choose phases anew.

  -o, --report REPORT   a report; its extension chooses .html (self-contained, with figures), .csv (a row per file and system) or .json;
                        repeat for several
  --codebooks LIST      numbers of codebooks, such as 1,2,4,8: each is a system of its own (default: all codebooks)
  --dtype f32|f16|q12|q8  weights in memory (default: as in the file)
  --beside SYSTEM       another model, side by side over the same files: a checkpoint, or 'default', then after commas further
                        files, codebooks=1,2,4, dtype=q8, name=...; repeat for several. Told: quality against bitrate, and
                        differences from the first clip by clip, with intervals of the pairs
  --manifest FILE       what is known of the clips: CSV, TSV or JSON lines with a column 'file' and any of 'transcript', 'language',
                        'speaker', 'tokens' (a token file that the first model's codes should equal), groups
  --group-by COLUMN     fairness: how tokens and measures differ between the groups of a manifest's column (docs/fairness.md); needs 'speaker'
  --judge MODULE        an ES module that exports \`metrics\` (a list as wavtok/metrics' NamedMetric), \`transcribe(samples, sampleRate, clip)\`
                        that resolves to what was said, or both: with transcribe, word error rates are told; repeat for several
  --dnsmos FILE         DNSMOS P.835 (sig_bak_ovr.onnx), run by onnxruntime-web where that is installed
  --rounds K            through the model K times: which codes stay, how the sound drifts (default 1)
  --figures N           files whose waveforms, spectrograms and tokens the .html shows: the first N (default 8, fewer for several systems)
  --jobs N              evaluate with N threads (default 1); results but speeds do not depend on it
  --force               measure again what an interrupted run has finished; else the same command goes on where it ended
  --threads N           threads that compute together for one model (default 1)
  --model FILE          checkpoint instead of the default model; repeat for models in several files
  --config YAML         configuration that came with the checkpoint
  --json                one line of JSON per file and system, then one of all
  -q, --quiet           no figures, no warnings, no progress bar

Examples
  wavtok eval recordings/
  wavtok eval recordings/ -o report.html -o report.csv --jobs 4
  wavtok eval recordings/ --model mimi.safetensors --codebooks 1,2,4,8 --beside default -o tradeoff.html
  wavtok eval recordings/ --model wavtokenizer.ckpt --beside wavtokenizer.ckpt,dtype=q8 -o q8.html
  wavtok eval recordings/ --manifest clips.tsv --group-by gender -o fairness.html
  wavtok eval recordings/ --manifest clips.tsv --judge whisper.mjs --dnsmos sig_bak_ovr.onnx -o report.html
`
