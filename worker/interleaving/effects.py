"""What well-known functions and methods do to what they are called with, by their names.

The names are those of Python's containers, numpy, pandas, PyTorch and scikit-learn. An unknown function of a library
is taken to change nothing: otherwise no `model.predict(x)` would pass.
"""

from __future__ import annotations


def _names(text: str) -> frozenset[str]:
    return frozenset(text.split())


CHANGING_METHODS = _names("""
    append extend insert remove pop popitem clear update setdefault add discard sort reverse appendleft popleft
    extendleft rotate move_to_end subtract intersection_update difference_update symmetric_difference_update
    fill put itemset resize setflags setfield partition byteswap partial_fit fit fit_transform fit_predict
    set_params load_state_dict train backward step zero_grad requires_grad_ write writelines read readline
    readlines seek truncate send throw close put_nowait get_nowait acquire release set reset seed shuffle push
    enqueue dequeue record observe increment incr cache_clear __setitem__ __delitem__ __setattr__ __delattr__
    __iadd__ __next__ __dict__ __setstate__ commit rollback connect disconnect start stop cancel join_thread
    insert_many execute executemany executescript
""")
"""Change what they are called on."""

RETURNING_NEW = _names("set_index set_axis reset_index add_prefix add_suffix set_flags")
"""Of pandas: sound as if they changed what they are called on, and return another."""

CHANGING_FUNCTIONS = _names("""
    next anext setattr delattr heappush heappop heapify heapreplace heappushpop insort insort_left insort_right
    shuffle copyto put place putmask fill_diagonal put_along_axis setitem delitem iadd iand iconcat ior ixor
    isub imul itruediv ifloordiv imod ipow imatmul ilshift irshift at memmove memset
""")
"""Change their first argument."""

FILLING = _names("pack_into readinto readinto1 recv_into recvfrom_into")
"""Write into a buffer among their arguments."""

OUTPUT_AT = {"dot": 2, "vdot": 2, "concatenate": 2}
"""Where functions of numpy that have no signature take the array to write into."""

IN_PLACE_WITHOUT_COPY = _names("nan_to_num scale normalize binarize minmax_scale maxabs_scale robust_scale")
"""Change their first argument where they are told `copy=False`."""

SAVING = _names("""
    save savez savez_compressed savetxt tofile to_csv to_json to_parquet to_pickle to_feather to_excel to_hdf
    imwrite imsave savefig
""")
"""Write a file where their first argument is a path."""

SAVING_ON = _names("write_text write_bytes unlink symlink_to hardlink_to")
"""Change the files that a path leads to."""

DRAWING = frozenset({"matplotlib.pyplot", "pylab"})
"""Modules whose functions work on one thing that they all share."""

CHANGING_MODULE_FUNCTIONS = _names("""
    seed chdir putenv umask setlocale reload setrecursionlimit import_module redirect_stdout redirect_stderr
    catch_warnings option_context simplefilter filterwarnings manual_seed manual_seed_all setstate alarm setitimer
    settrace setprofile setdefaulttimeout tzset
""")
"""Change what belongs to the whole process."""

SINGLETONS = _names("""
    getLogger current_thread main_thread getcontext get_event_loop get_running_loop gca gcf locals __import__
    _getframe currentframe
""")
"""Return the same thing to everybody."""

RUNS_ANYTHING = frozenset({"exec", "eval", "globals", "compile"})

HARMLESS_WITH_SELF = _names("""
    isinstance issubclass type getattr hasattr len str repr id hash bool int float callable super format print
""")

INNER_METHODS = _names("""
    get values items keys pop setdefault popitem popleft __getitem__ __enter__ iterrows itertuples view reshape
    ravel squeeze unsqueeze transpose swapaxes permute expand to float double half long int contiguous detach
    numpy cpu cuda to_numpy flatten astype asfreq pipe parameters children modules named_parameters cursor fromkeys
""")
"""Return what they are called on, a view of it, something in it, or one of their arguments."""

COPYING_METHODS = frozenset({"copy", "__copy__"})

ACCESSORS = _names("""
    loc iloc at iat values T flat str dt real imag data array
""")
"""Attributes that are another way into the same object."""

INNER_FUNCTIONS = _names("""
    getattr iter next reversed max min type vars cast asarray asanyarray ascontiguousarray asfortranarray
    atleast_1d atleast_2d atleast_3d ravel reshape squeeze transpose broadcast_to broadcast_arrays frombuffer
    expand_dims swapaxes moveaxis rollaxis flip fliplr flipud rot90 split array_split hsplit vsplit dsplit
    diagonal diag DataFrame Series Index from_numpy as_tensor from_dlpack memoryview super nditer view_as_real
    real imag rec as_strided sliding_window_view require asarray_chkfinite choice reduce getitem
""")
"""Return one of their arguments, a view of it or something in it."""

CALLING_AT_ONCE = _names("""
    map filter sorted sort min max apply applymap transform agg aggregate assign reduce groupby pipe any all
    vectorize apply_along_axis sub
""")
"""Call the functions they are given before they return, or while their result is read, and don't keep them."""

NEW_RESULT_FUNCTIONS = _names("""
    len str int float bool complex repr format isinstance issubclass hasattr abs round range print hash id ord
    chr any all deepcopy callable pow divmod bytes dumps loads json_normalize
""")
"""Return something new that holds none of their arguments."""

NUMERIC_LIBRARIES = frozenset({"numpy", "pandas", "scipy", "sklearn", "math", "statistics", "re", "json", "torch"})
"""Functions of these do too, except those of `INNER_FUNCTIONS`."""
