"""The pages: plain HTML over the same functions as the API, Chinese first, no script.

Source: GB/T 37668-2019 level 2, WCAG 2.1 AA, 适老化 targets: text from 18 px, targets from 44 px.
"""
