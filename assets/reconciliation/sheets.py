"""The workbook of a department: one sheet per kind of conflict and dataset, one row per item.

It is a guarded workbook (`assets.guarded`): its rows stand on the evidence that was shown, and an
answer counts for that and for no other.
"""

from __future__ import annotations

from assets.guarded.sheets import AnswerColumn, Seal
from hub.keyring import Keyring
from hub.sealing import Pseudonymiser
from hub.store.worklist import Conclusion

#: What the cover calls the code of the department.
DEPARTMENT = "部门 department"
ITEM = "编号 item"
CONCLUSION = "结论 conclusion"
REMARK = "说明 remark"
#: What a department may answer, in the words of the drop-down.
ANSWERS = {
    "本方有误 ours is wrong": Conclusion.OWN_WRONG,
    "对方有误 theirs is wrong": Conclusion.OTHER_WRONG,
    "均正确 both are right": Conclusion.BOTH_RIGHT,
    "无法核实 cannot be verified": Conclusion.UNVERIFIABLE,
}
COLUMNS = (AnswerColumn(CONCLUSION, tuple(ANSWERS)), AnswerColumn(REMARK))
LONGEST_REMARK = 500


def seal_of(keyring: Keyring, department: str) -> Seal:
    """Return the seal of a department's workbooks."""
    return Seal(Pseudonymiser(keyring, "record").of, f"worklist sheet\0{department}")
