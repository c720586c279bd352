// Small things about the page that all views need.

export function byId(id) {
  return document.getElementById(id);
}

/** `element('span', 'name', 'Ada')`; what stands there already is not touched when it says the same. */
export function element(tag, className = '', text = '') {
  const made = document.createElement(tag);
  if (className) made.className = className;
  if (text) made.textContent = text;
  return made;
}

/** Writing what is there already would cost a layout. */
export function say(target, text) {
  if (target.textContent !== text) target.textContent = text;
}

/** Buttons that choose an order: [{ key, label, descending }] into `parent`; `show(order)` marks the present one. */
export function sortButtons(parent, columns, { role, choose }) {
  const buttons = columns.map(({ key, label, descending = false }) => {
    const head = element('div', `of-${key}`);
    if (role) head.setAttribute('role', role);
    if (key) {
      const button = element('button', '', label);
      button.type = 'button';
      button.addEventListener('click', () => choose(key, descending));
      head.append(button);
    } else {
      head.append(element('span', 'unseen', label));
    }
    parent.append(head);
    return { key, head, button: head.querySelector('button') };
  });
  return ({ sort, descending }) => {
    for (const { key, head, button } of buttons) {
      if (!button) continue;
      const isIt = key === sort;
      button.dataset.order = isIt ? (descending ? 'down' : 'up') : '';
      if (role) head.setAttribute('aria-sort', isIt ? (descending ? 'descending' : 'ascending') : 'none');
      else button.setAttribute('aria-pressed', isIt);
    }
  };
}

/** The order after a click on a column: the same again is turned round. */
export function orderAfter(order, key, descending) {
  return order.sort === key ? { ...order, descending: !order.descending } : { ...order, sort: key, descending };
}
