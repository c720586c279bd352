// The server as a whole: figures, the processor time of its threads, whether it serves, drains or has too much to do.

import { byId, element, say } from './elements.js';
import * as words from './words.js';

/** The threads by what they do: those that end where the next begins. */
const GROUPS = [
  { name: 'net', title: 'Net threads: encrypt, send and receive', is: (name) => name.startsWith('net-') },
  { name: 'mix', title: 'Mix threads: decode, mix and encode', is: (name) => name.startsWith('mix-') },
  { name: 'crew', title: 'Crew: help with big rooms', is: (name) => name.startsWith('crew-') },
  { name: 'signaling', title: 'All others: the APIs', is: () => true },
];

export class ServerView {
  #figures = new Map();
  #groups = new Map();

  show({ head, items }) {
    const talking = [...items.values()].reduce((sum, { num_talking }) => sum + num_talking, 0);
    const cpu = head.threads.reduce((sum, { cpu_percent }) => sum + cpu_percent, 0);
    this.#figure('Rooms', String(head.rooms));
    this.#figure('People', String(head.participants));
    this.#figure('Talking', String(talking));
    this.#figure('Sessions', String(head.sessions));
    this.#figure('CPU', `${Math.round(cpu / head.cores)} %`, `${cpu.toFixed(0)} % of one of ${words.count(head.cores, 'core', 'cores')}`);
    this.#figure('Memory', words.bytes(head.memory_bytes));
    this.#figure('Up', words.span(head.uptime_seconds), `version ${head.version}`);
    this.#showThreads(head.threads);
    this.#showState(head);
  }

  /** Nothing is known any more. */
  lost() {
    const state = byId('state');
    state.dataset.tone = 'trouble';
    say(state, 'No answer');
  }

  #figure(name, value, title = '') {
    let figure = this.#figures.get(name);
    if (!figure) {
      const box = element('div');
      figure = element('dd');
      box.append(element('dt', '', name), figure);
      byId('figures').append(box);
      this.#figures.set(name, figure);
    }
    say(figure, value);
    figure.title = title;
  }

  #showThreads(threads) {
    const rest = new Set(threads);
    for (const { name, title, is } of GROUPS) {
      const own = threads.filter((thread) => rest.has(thread) && is(thread.name));
      own.forEach((thread) => rest.delete(thread));
      let group = this.#groups.get(name);
      if (!group) {
        group = element('div', 'group');
        group.append(element('span', 'label', name), element('div', 'bars'));
        group.setAttribute('role', 'img');
        group.title = title;
        byId('threads').append(group);
        this.#groups.set(name, group);
      }
      group.hidden = own.length === 0;
      const bars = group.lastChild;
      while (bars.children.length > own.length) bars.lastChild.remove();
      while (bars.children.length < own.length) bars.append(element('div', 'bar'));
      own.forEach((thread, index) => {
        const bar = bars.children[index];
        bar.style.setProperty('--share', Math.min(1, thread.cpu_percent / 100).toFixed(3));
        bar.title = `${thread.name}: ${Math.round(thread.cpu_percent)} %`;
        bar.classList.toggle('busy', thread.cpu_percent >= 80);
      });
      const most = Math.max(0, ...own.map(({ cpu_percent }) => cpu_percent));
      group.setAttribute('aria-label', `${title}. ${words.count(own.length, 'thread', 'threads')}, the busiest at ${Math.round(most)} percent`);
    }
  }

  #showState({ overloaded, drain, participants }) {
    const state = byId('state');
    state.hidden = false;
    state.dataset.tone = overloaded ? 'trouble' : drain?.draining ? 'pending' : 'calm';
    say(state, overloaded ? 'Overloaded: nobody new is let in' : drain?.draining ? `Draining: ${drainText(drain, participants)}` : 'Serving');
    const button = byId('drain');
    button.hidden = !drain;
    say(button, drain?.draining ? 'Stop draining' : 'Drain …');
  }
}

function drainText({ remaining }, participants) {
  return `${words.people(participants)} left${remaining == null ? '' : `, ${words.span(remaining)} at most`}`;
}
