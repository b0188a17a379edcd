PAGE = None


def page(r):
    return ""
