"""The browser page. The only place that imports gradio."""
