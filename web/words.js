// What went wrong, in words for the person in front of the page. Pure.
//
// A notice is { title, text, tone, action, field }: `tone` is 'trouble' or 'calm', `action` one of 'listen', 'retry',
// 'sound', 'devices' (the view knows what the button says), `field` the input that wants another look.

import { Refusal, Unreachable } from './janus-client.js';

/** Why joining failed. */
export function joinFailed(error, { room, pin }) {
  if (error instanceof Unreachable) {
    return trouble('The server does not answer', 'It may be down, or the network between you and it.', { action: 'retry' });
  }
  if (!(error instanceof Refusal)) return trouble('That did not work', error.message, { action: 'retry' });
  switch (error.code) {
    case 485:
      return trouble('No such room', `There is no room ${room} on this server.`, { field: 'room' });
    case 483:
      if (error.message.includes('(pin)')) return calm('This room has a PIN', 'Whoever invited you knows it.', { field: 'pin' });
      break;
    case 489:
      if (error.message.includes('pin')) {
        return pin
          ? trouble('Wrong PIN', `That is not the PIN of room ${room}.`, { field: 'pin' })
          : calm('This room has a PIN', 'Whoever invited you knows it.', { field: 'pin' });
      }
      return trouble('Not invited', `Room ${room} lets in only people with an invitation.`);
    case 472:
      return trouble('The server is closing', 'It takes nobody new. Try again in a few minutes.', { action: 'retry' });
    case 499:
      if (/^Room .* full/.test(error.message)) return trouble('The room is full', 'Somebody has to leave before you can come in.', { action: 'retry' });
      if (/full|overloaded|[Tt]oo many/.test(error.message)) return trouble('The server has too much to do', 'It lets nobody in for now. Try again in a minute.', { action: 'retry' });
      if (error.message.includes('draining')) return trouble('The server is closing', 'It takes nobody new. Try again in a few minutes.', { action: 'retry' });
      break;
    case 403:
      return trouble('The server wants a password', 'It is set up for other applications, not for this page.');
  }
  return trouble('The server said no', `${error.message} (${error.code}).`, { action: 'retry' });
}

/** Why there is no microphone; `error` is the browser's. */
export function microphoneFailed(error) {
  switch (error.name) {
    case 'NotAllowedError':
    case 'SecurityError':
      return trouble('No permission for the microphone', 'Allow it in the browser’s address bar and join again, or come in to listen.', { action: 'listen' });
    case 'NotFoundError':
    case 'OverconstrainedError':
      return trouble('No microphone found', 'Plug one in and join again, or come in to listen.', { action: 'listen' });
    case 'NotReadableError':
    case 'AbortError':
      return trouble('The microphone does not answer', 'Another program may be using it. You can come in to listen.', { action: 'listen' });
    default:
      return trouble('No microphone', `${error.message} You can come in to listen.`, { action: 'listen' });
  }
}

/** The page was loaded from where browsers give no microphone. */
export function microphoneForbiddenHere(origin) {
  return calm('You can only listen here', `Browsers give a microphone to pages on https:// or on localhost. This one came from ${origin}.`, { action: 'listen' });
}

export const noAudioPath = () => trouble('No sound gets through', 'A firewall may be blocking UDP between you and the server.', { action: 'retry' });
export const microphoneReplaced = (label) => calm('Your microphone is gone', `You are heard through another one now${label ? `: ${label}` : ''}.`, { action: 'devices' });
export const microphoneLost = () => trouble('Your microphone is gone', 'Nobody hears you. Plug one in, then choose it.', { action: 'devices' });
export const speakerLost = () => calm('Your loudspeaker is gone', 'The sound comes from where the browser chooses.', { action: 'devices' });
export const kicked = () => trouble('You were removed from the room', 'Somebody who runs the room asked for it.');
export const roomDestroyed = () => calm('The room was closed', 'Everybody has left it.');
export const soundBlocked = () => calm('The browser keeps the sound off', 'It wants a click first.', { action: 'sound' });
export const mutedByHost = () => calm('You were muted', 'Somebody who runs the room did it. Unmute when it is your turn.');
export const roomMuted = () => calm('The room is muted', 'Only those who run it are heard.');
export const reconnecting = () => trouble('The server is gone', 'Trying to get back to it …', { action: 'retry' });

function trouble(title, text, more) {
  return { tone: 'trouble', title, text, ...more };
}

function calm(title, text, more) {
  return { tone: 'calm', title, text, ...more };
}
