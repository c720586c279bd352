// Runs in the browser: says what is in a stream of audio. Tones by frequency, gaps in a tone, the envelope of speech.

/** Long enough to part tones 6 Hz apart, short enough to follow a mute. */
const SPECTRUM = 8192;

/** A worklet may be added to a context once only. */
const contexts = new Map();

/** An ear on `stream`. Chromium lets remote audio into WebAudio only while an element plays it. */
export async function listenTo(stream, shared) {
  const context = shared ?? new AudioContext();
  const element = new Audio();
  element.muted = true;
  element.srcObject = stream;
  element.play().catch(() => {});
  await context.resume();
  contexts.get(context) ?? contexts.set(context, context.audioWorklet.addModule(WORKLET_URL));
  await contexts.get(context);
  const source = new MediaStreamAudioSourceNode(context, { mediaStream: stream });
  const analyser = new AnalyserNode(context, { fftSize: SPECTRUM, smoothingTimeConstant: 0 });
  source.connect(analyser);
  let watch = null;
  return {
    element,
    /** Decibels of full scale at each frequency, now. */
    levels(frequencies) {
      const spectrum = new Float32Array(analyser.frequencyBinCount);
      analyser.getFloatFrequencyData(spectrum);
      const width = context.sampleRate / SPECTRUM;
      return frequencies.map((frequency) => {
        const bin = Math.round(frequency / width);
        return Math.max(...spectrum.slice(bin - 1, bin + 2), -200);
      });
    },
    /** Measures the level of `frequency` every 10 ms, until `endWatch` returns the series. */
    startWatch(frequency) {
      const node = new AudioWorkletNode(context, 'watch', { processorOptions: { frequency }, numberOfOutputs: 0 });
      const series = [];
      node.port.onmessage = ({ data }) => series.push(data);
      source.connect(node);
      watch = { node, series };
    },
    /** How many values the watch has by now. */
    heard() {
      return watch.series.length;
    },
    endWatch() {
      source.disconnect(watch.node);
      watch.node.port.postMessage('end');
      return watch.series;
    },
    close() {
      source.disconnect();
      element.srcObject = null;
      if (!shared) context.close();
    },
  };
}

/** Without a frequency the whole band is measured. */
const WORKLET = `
registerProcessor('watch', class extends AudioWorkletProcessor {
  constructor({ processorOptions: { frequency } }) {
    super();
    this.step = frequency ? 2 * Math.PI * frequency / sampleRate : 0;
    this.samples = Math.round(sampleRate / 100);
    this.restart();
    this.port.onmessage = () => (this.ended = true);
  }
  restart() {
    this.count = 0;
    this.real = this.imaginary = this.energy = 0;
  }
  process([[samples]]) {
    for (const sample of samples ?? new Float32Array(128)) {
      this.real += sample * Math.cos(this.step * this.count);
      this.imaginary += sample * Math.sin(this.step * this.count);
      this.energy += sample * sample;
      if (++this.count < this.samples) continue;
      const power = this.step ? 2 * (this.real ** 2 + this.imaginary ** 2) / this.samples ** 2 : this.energy / this.samples;
      this.port.postMessage(10 * Math.log10(power + 1e-12));
      this.restart();
    }
    return !this.ended;
  }
});`;
const WORKLET_URL = URL.createObjectURL(new Blob([WORKLET], { type: 'text/javascript' }));
