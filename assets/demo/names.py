"""Names as they occur: single and compound surnames, names with a middle dot, rare characters.

Every combination is drawn at random; characters outside GBK make GB18030 necessary.
"""

from __future__ import annotations

import numpy as np

from assets.demo.columns import Column, Flags, Ints, join, pick, where

SURNAMES = (
    *"王李张刘陈杨黄赵吴周徐孙马朱胡郭何林高罗郑梁谢宋唐许韩冯邓曹彭曾萧田董潘袁蔡蒋余于杜叶程",
    *"魏苏吕丁任沈姚卢姜崔钟谭陆汪范金石廖贾夏韦付方白邹孟熊秦邱江尹薛闫段雷侯龙史陶黎贺顾毛郝",
    *("欧阳", "司马", "上官", "诸葛", "夏侯", "慕容", "令狐", "东方"),
)
_WEIGHTS = np.array([1 / (8 + i) for i in range(len(SURNAMES) - 8)] + [0.006] + [0.0015] * 7)
MEN = "伟强磊军勇杰涛超明刚平辉鹏华飞鑫波斌宇浩凯健俊帆帅旭宁龙林欢阳建亮成畅鸣骏睿泽轩晨航铭哲瀚"
WOMEN = "芳娜敏静秀丽艳娟霞燕玲桂英莉萍红云洁梅慧婷雪琳晶颖倩蕾薇菲佳欣怡彤璐萱涵妍诗琪梦瑶语馨悦岚"
MIDDLE = "国建志文晓小永春海玉雨子天家德金思嘉一宏立世书庆清新长安美景如振祖承启君若心逸可"
RARE = ("𠮷", "㛃", "䶮", "𬭎", "𬍛", "㑇")
DOTTED_MEN = ("买买提", "艾力", "吐尔逊", "阿不都热合曼", "努尔兰", "玉素甫", "克里木", "达尼亚尔")
DOTTED_WOMEN = (
    "阿依古丽",
    "热娜",
    "古丽娜尔",
    "帕提古丽",
    "迪丽达",
    "玛依努尔",
    "阿依努尔",
    "茹仙",
)
PLAIN_MINORITY = ("扎西", "卓玛", "巴特尔", "其其格", "乌兰", "格桑", "斯琴", "丹增")
DOT = "·"
DOTTED_PEOPLES = (5, 17, 41, 43)  # Uygur, Kazak, Tajik, Uzbek


def surname_indexes(random: np.random.Generator, count: int) -> Ints:
    """Return indexes into SURNAMES, common ones more often."""
    return random.choice(len(SURNAMES), count, p=_WEIGHTS / _WEIGHTS.sum()).astype(np.int64)


def given_names(random: np.random.Generator, sex: Ints) -> Column:
    """Return given names of one or two characters; three in a thousand hold a rare one."""
    count = len(sex)
    last = where(
        sex == 1,
        pick(tuple(MEN), random.integers(len(MEN), size=count)),
        pick(tuple(WOMEN), random.integers(len(WOMEN), size=count)),
    )
    rare = random.random(count) < 0.003
    last = where(rare, pick(RARE, random.integers(len(RARE), size=count)), last)
    middle = pick(tuple(MIDDLE), random.integers(len(MIDDLE), size=count))
    return join(where(random.random(count) < 0.72, middle, ""), last)


def full_names(random: np.random.Generator, sex: Ints, surname: Ints, ethnicity: Ints) -> Column:
    """Return whole names; peoples that write given name · father's name get the dot."""
    count = len(sex)
    han = join(pick(SURNAMES, surname), given_names(random, sex))
    own = where(
        sex == 1,
        pick(DOTTED_MEN, random.integers(8, size=count)),
        pick(DOTTED_WOMEN, random.integers(8, size=count)),
    )
    dotted = join(own, DOT, pick(DOTTED_MEN, surname % 8))
    is_dotted: Flags = np.isin(ethnicity, DOTTED_PEOPLES)
    plain = join(
        pick(PLAIN_MINORITY, surname % 8), pick(PLAIN_MINORITY, random.integers(8, size=count))
    )
    return where(is_dotted, dotted, where(np.isin(ethnicity, (2, 4)), plain, han))
