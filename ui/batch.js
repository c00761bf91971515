// The view is what the server answers about the batch; which rows are shown and which video plays lives here.
let shown = 'all', playing = '', asked = 0, idle = 0, last = '';
let refused = {};  // why the last press was; it stays until the next one

async function refresh(more = {}) {
    const mine = ++asked, batch = props.value?.id;
    if (!batch) return;
    const press = more.do && (refused = {});
    const found = await server.ask({batch, ...more});
    if (press && found) Object.assign(press, {problem: found.problem, remedy: found.remedy});
    if (batch !== props.value.id) return;
    if (mine !== asked) return more.do && refresh();  // a later question is on its way, but may not know what was done
    await render(found ?? {...props.value, offline: true});
}

async function render(value) {
    const rows = value.rows.filter(row => shown === 'all' || row.state === shown);
    const open = value.rows.find(row => row.id === playing && row.url);
    if (!open) find('.player')?.close();
    props.value = {
        ...value, problem: '', ...refused, open, nothing: value.rows.length > 0 && !rows.length,
        filters: value.filters?.map(one => ({...one, on: one.value === shown})),
    };
    element.dataset.show = shown;
    await rendered();
    if (open) openModal(find('.player'));
    follow(value.rows.find(row => row.state === 'running')?.id ?? '');
}

// Scrolls the list to the video that has just begun, unless somebody is busy in it.
function follow(running) {
    const list = find('.list'), row = running && find(`li[data-job="${running}"]`);
    if (!row || running === last) return;
    last = running;
    if (list.matches(':hover, :focus-within')) return;
    list.scrollTo({top: row.offsetTop - list.offsetTop - row.offsetHeight, behavior: 'smooth'});
}

element.addEventListener('click', event => {
    if (isShade(event)) return event.target.close();
    const pressed = event.target.closest('button');
    if (!pressed) return;
    const {show, play, tab, sure, job, ...data} = pressed.dataset;
    if (show) { shown = show; render(props.value); }
    else if (play) { playing = play; render(props.value); }
    else if ('close' in data) find('.player').close();
    else if ('new' in data) trigger('act');
    else if (tab) document.getElementById(`${tab}-button`)?.click();
    else if (data.do && (!sure || confirm(sure))) refresh({do: data.do, job});
});
element.addEventListener('close', event => {
    find('.player video')?.pause();
    if (playing) { playing = ''; render(props.value); }
}, true);

// Once a second while something goes on, else every five; never where nobody looks.
every(1000, () => {
    if (watched() && (props.value?.busy || ++idle % 5 === 0)) refresh();
});
hear('heygem:delivery', () => refresh());
watch('value', () => { shown = 'all'; refused = {}; render(props.value); });
if (props.value?.id) render(props.value);
