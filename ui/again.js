// The column that holds this and the options becomes a window of the browser: it closes by Escape and keeps the focus.
const column = element.closest('#again');
const dialog = document.createElement('dialog');
dialog.id = 'again_window';
column.before(dialog);
dialog.append(column);
dialog.addEventListener('click', event => event.target.closest('[data-close]') && dialog.close());
watch('value', () => {
    const {said, job, problem} = props.value;
    if (job || problem) {
        if (!dialog.open) dialog.showModal();
    } else {
        dialog.close();
        window.dispatchEvent(new CustomEvent('heygem:again', {detail: said}));
    }
});
