// The list is what the server answers to `question`; only the choice of rows lives here.
const question = {text: '', state: 'all', batch: '', page: 1, open: '', ask: []};
const chosen = new Map();  // job -> has it a result
let answer = {rows: []}, asked = 0, waiting = 0, idle = 0, said = null;

async function refresh(more = {}) {
    const mine = ++asked;
    waiting++;
    const found = await server.ask({...question, ...more});
    waiting--;
    if (found?.said) tell(found.said);
    if (mine !== asked) return more.do && refresh();  // a later question is on its way, but may not know what was done
    if (found?.rows) {
        answer = found;
        question.page = found.page;
        for (const row of found.rows) if (chosen.has(row.id)) chosen.set(row.id, !!row.result);
    }
    await render({offline: !found});
}

async function render(more = {}) {
    const {rows, words, page, pages, open, ask} = answer;
    const ready = [...chosen].filter(([, done]) => done).map(([id]) => id);
    const dialogs = [['.player', open], ['.ask', ask]];
    for (const [selector, shown] of dialogs) if (!shown) find(selector)?.close();
    props.value = {
        ...answer, ...more, said,
        rows: rows.map(dated),
        open: open && dated(open),
        empty: words && !rows.length ? (answer.filtered ? words.nothing_found : words.nothing_yet) : '',
        many: pages > 1, first: page === 1, last: page === pages,
        chosen: chosen.size || '',
        zip: ready.length ? 'api/v1/zip?job=' + ready.join('&job=') : '',
        compare: ready.length > 1 && ready.length < 5 ? ready.join(' ') : '',
    };
    await rendered();
    for (const tick of element.querySelectorAll('[data-choose]')) tick.checked = chosen.has(tick.dataset.choose);
    const all = find('[data-choose=page]'), here = rows.filter(row => chosen.has(row.id)).length;
    all.checked = here > 0 && here === rows.length;
    all.indeterminate = here > 0 && here < rows.length;
    for (const [selector, shown] of dialogs) if (shown) openModal(find(selector));
    const toast = find('.said');
    if (said) toast.hidePopover?.(), toast.showPopover?.();  // once more: above a window that has just opened
}

function dated(row) {
    const head = row.head && {...row.head, when: moment(row.head.created)};
    const progress = [row.percent + '%', row.numbers?.at(-1)].filter(Boolean).join(' · ');
    return {...row, head, progress, when: moment(row.created), running: row.state === 'running'};
}

function moment(seconds) {
    const then = new Date(seconds * 1000), now = new Date();
    const day = {month: 'short', day: 'numeric', ...(then.getFullYear() !== now.getFullYear() && {year: 'numeric'})};
    const today = then.toDateString() === now.toDateString();
    return then.toLocaleString(navigator.language, {hour: '2-digit', minute: '2-digit', hourCycle: 'h23', ...(!today && day)});
}

function tell(what) {
    said = what;
    setTimeout(() => { if (said === what) { said = null; render(); } }, 6000);
}

function change(more) {
    Object.assign(question, {page: 1}, more);
    refresh();
}

function step(by) {
    const at = answer.rows.findIndex(row => row.id === question.open);
    const to = answer.rows[at + by];
    if (to) { question.open = to.id; refresh(); }
}

element.addEventListener('click', event => {
    if (isShade(event)) return event.target.close();
    const pressed = event.target.closest('button, a');
    const data = pressed?.dataset;
    if (!data || pressed.disabled) return;
    if ('state' in data) change({state: data.state});
    else if ('batch' in data) change({batch: data.batch});
    else if ('page' in data) { question.page += Number(data.page); refresh().then(() => element.scrollIntoView()); }
    else if ('open' in data) { question.open = data.open; refresh(); }
    else if ('step' in data) step(Number(data.step));
    else if ('do' in data) refresh({do: data.do, jobs: [data.id]});
    else if ('again' in data) { find('.player').close(); trigger('again', {job: data.again}); }
    else if ('ask' in data) { question.ask = data.ask === 'chosen' ? [...chosen.keys()] : [data.ask]; refresh(); }
    else if ('close' in data) pressed.closest('dialog').close();
    else if ('chooseNone' in data) { chosen.clear(); render(); }
    else if ('remove' in data) {
        const jobs = question.ask;
        question.ask = [];
        for (const job of jobs) chosen.delete(job);
        refresh({do: 'remove', jobs});
    }
});

element.addEventListener('change', event => {
    const {target} = event;
    if (target.name === 'page') {
        question.page = Math.trunc(Number(target.value)) || 1;
        return refresh().then(() => { target.value = answer.page; });  // there may be no such page
    }
    const id = target.dataset.choose;
    if (!id) return;
    for (const row of answer.rows) if (id === 'page' || id === row.id) {
        if (target.checked) chosen.set(row.id, !!row.result);
        else chosen.delete(row.id);
    }
    render();
});

let typing = 0;
element.addEventListener('input', event => {
    if (event.target.name !== 'text') return;
    clearTimeout(typing);
    typing = setTimeout(() => change({text: event.target.value}), 200);
});
element.addEventListener('submit', event => event.preventDefault());
element.addEventListener('keydown', event => {
    if (!event.target.closest('.player') || event.target.matches('video')) return;
    if (event.key === 'ArrowLeft') step(-1);
    if (event.key === 'ArrowRight') step(1);
});
element.addEventListener('close', event => {
    find('.player video')?.pause();
    if (event.target.matches('.player') && answer.open) { question.open = ''; answer.open = null; refresh(); }
    if (event.target.matches('.ask') && answer.ask) { question.ask = []; answer.ask = null; refresh(); }
}, true);
hear('heygem:delivery', () => watched() && refresh());
hear('heygem:again', event => { tell({text: event.detail}); refresh(); });

// Once a second while something goes on, else every five; never where nobody looks.
every(1000, () => {
    if (!waiting && watched() && (answer.busy || ++idle % 5 === 0)) refresh();
});
whenSeen(refresh);
