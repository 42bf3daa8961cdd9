# %% [markdown]
# # What is done, and what is next
#
# [All chapters](README.md)
#
# Each check that says *right* is noted in a small file beside the chapters, `.progress.json`. It stays on your machine. Run this cell:

# %%
from kit import progress

progress()

# %% [markdown]
# ## A quiz by letters
# In the chapters you open the choices of a quiz one by one. To have a quiz noted as well, give the chapter and five letters; `?` leaves a
# question out. Each answer gets its own reply.

# %%
from kit import quiz_answers

quiz_answers("00", "? ? ? ? ?")

# %% [markdown]
# ## Start again
# `forget()` takes the marks away, `forget("ch03")` those of a chapter, `forget("ch03.backward")` that of one exercise. Your
# answers in the chapters stay as they are. The marks that you had are kept beside the file, in `.progress.json.before`.
#
# ```python
# from kit import forget
#
# forget("ch03")
# ```
