"""How tests read the sections of a report."""

from archgym.report.sections import build_sections
from archgym.report.study_data import prepare


def sections_of(study):
    return {section.key: section for section in build_sections(prepare(study))}


def words(view):
    return " ".join(view.words)


def table_of(view, key):
    (found,) = [table for table in view.tables if table.key == key]
    return found
