"""What napari's own style sheet does not know: links, notes, the main button."""

from __future__ import annotations

from typing import Any

from napari.utils.theme import Theme

_SHEET = """
QWidget[muted="true"] {{ color: {muted}; }}
QLabel[strong="true"], QToolButton[strong="true"] {{ font-weight: 600; }}

QToolButton[link="true"] {{ background: transparent; border: none; padding: 1px 0px; color: {muted}; }}
QToolButton[link="true"]:hover {{ color: {text}; text-decoration: underline; }}
QToolButton[link="true"][strong="true"] {{ color: {text}; }}

QToolButton[flat="true"] {{ background: transparent; border: none; border-radius: 2px; padding: 3px; }}
QToolButton[flat="true"]:hover, QToolButton[flat="true"]:open {{ background: {primary}; }}
QToolButton[flat="true"]:disabled {{ color: {faint}; }}
QToolButton::menu-indicator {{ image: none; width: 0px; }}
QPushButton::menu-indicator {{ image: none; width: 0px; }}

QToolButton[chip="true"] {{
  background: {primary}; border: none; border-radius: 9px; padding: 2px 8px; color: {text};
}}
QToolButton[chip="true"]:hover {{ background: {secondary}; }}
QToolButton[chip="true"]:checked {{ background: {current}; }}

QPushButton[main="true"] {{ background-color: {current}; padding: 6px 12px; font-weight: 600; }}
QPushButton[main="true"]:hover {{ background-color: {current_hover}; }}
QPushButton[main="true"]:disabled {{ background-color: {primary}; color: {faint}; border: none; }}

QFrame[ring="true"] {{ background: transparent; border: 2px solid {focus}; border-radius: 4px; }}

QFrame[dropZone="true"] {{ border: 1px dashed {secondary}; border-radius: 5px; background: {foreground}; }}
QFrame[dropZone="true"][dropping="true"] {{ border: 2px solid {current}; }}
QFrame[dropZone="true"] QLabel {{ background: transparent; }}

QFrame[notice="told"], QFrame[notice="failed"] {{ background: {foreground}; border-radius: 3px; }}
QFrame[notice="told"] {{ border-left: 3px solid {current}; }}
QFrame[notice="failed"] {{ border-left: 3px solid {error}; }}
QFrame[notice="told"] QLabel, QFrame[notice="failed"] QLabel {{ background: transparent; }}

QTabBar {{ background: transparent; border: none; }}
QTabBar::tab {{
  background: transparent; border: none; border-bottom: 2px solid {primary}; padding: 3px 10px; color: {muted};
}}
QTabBar::tab:hover {{ color: {text}; background: {primary}; }}
QTabBar::tab:selected {{ color: {text}; border-bottom: 2px solid {current}; background: transparent; }}

QScrollArea[roomy="true"] {{ padding: 0px; border: none; }}

QListWidget::indicator {{
  width: 10px; height: 10px; border: 1px solid {muted}; border-radius: 2px; background: transparent;
}}
QListWidget::indicator:checked {{
  border-color: {current}; background-color: {current}; image: url("theme_{theme}:/check.svg");
}}

QProgressBar[thin="true"] {{
  background: {primary}; border: none; border-radius: 2px; padding: 0px; min-height: 4px; max-height: 4px;
}}
QProgressBar[thin="true"]::chunk {{ background: {current}; border-radius: 2px; margin: 0px; }}
"""


def stylesheet(theme: Theme) -> str:
    """Return the rules for the dock in a theme's colors; they come on top of napari's own."""
    text = _rgb(theme.text)
    error = _rgb(theme.error)
    lightened = tuple(round(c + 0.25 * (255 - c)) for c in error) if theme.type == "dark" else error
    current = _rgb(theme.current)
    toward = 255 if theme.type == "dark" else 0
    return _SHEET.format(
        theme=theme.id,
        text=_css(text),
        muted=_css(text, 0.72),
        faint=_css(text, 0.4),
        foreground=_css(_rgb(theme.foreground)),
        primary=_css(_rgb(theme.primary)),
        secondary=_css(_rgb(theme.secondary)),
        current=_css(current),
        current_hover=_css(tuple(round(c + 0.12 * (toward - c)) for c in current)),
        error=_css(lightened),
        focus=_css(tuple(round(c + 0.45 * (toward - c)) for c in current)),
    )


def _rgb(color: Any) -> tuple[int, ...]:
    return tuple(color.as_rgb_tuple(alpha=False))


def _css(rgb: tuple[int, ...], alpha: float = 1.0) -> str:
    return f"rgba({rgb[0]}, {rgb[1]}, {rgb[2]}, {round(255 * alpha)})"
